dist_man_MANS += %D%/fathom-engine.8 %D%/fathom-protocol.5
dist_man_MANS += %D%/fathom.1 %D%/fathom-ask.1 %D%/fathom-chat.1 \
    %D%/fathom-engine.1 %D%/fathom-model.1 %D%/fathom-tokenize.1 \
    %D%/fathom-json.5
dist_man_MANS += %D%/fathom-doctor.1 %D%/fathom-security.7
dist_man_MANS += %D%/fathom-vault.1


dist_man_MANS += %D%/fathom-history.1 %D%/fathom-export.5
dist_man_MANS += %D%/fathom-vault.5


dist_man_MANS += %D%/fathom-audit.1
dist_man_MANS += %D%/fathom.conf.5 %D%/fathom-policy.conf.5
dist_man_MANS += %D%/fathom-manifest.5 %D%/fathom-airgap.7
dist_man_MANS += %D%/fathom-keys.7
dist_man_MANS += %D%/fathom-tutorial.7 %D%/fathom-accessibility.7
