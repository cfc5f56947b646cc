EXTRA_DIST += \
    %D%/engine_client.py \
    %D%/engine.sh %D%/engine_test.py \
    %D%/replay.sh %D%/replay_test.py \
    %D%/warm.sh %D%/warm_test.py
TESTS += %D%/engine.sh %D%/replay.sh %D%/warm.sh

# the programs, with the replay engine
EXTRA_DIST += %D%/program.py
EXTRA_DIST += %D%/ask.sh %D%/ask_test.py
TESTS += %D%/ask.sh
EXTRA_DIST += %D%/chat.sh %D%/chat_test.py %D%/terminal.py
EXTRA_DIST += %D%/chat_vault.sh %D%/chat_vault_test.py
EXTRA_DIST += %D%/compact.sh %D%/compact_test.py
TESTS += %D%/compact.sh
EXTRA_DIST += %D%/ask_vault.sh %D%/ask_vault_test.py
TESTS += %D%/chat_vault.sh %D%/ask_vault.sh
EXTRA_DIST += %D%/dying.sh %D%/dying_test.py
TESTS += %D%/dying.sh
EXTRA_DIST += %D%/options.sh %D%/options_test.py
TESTS += %D%/chat.sh %D%/options.sh

# what keys do
if WITH_READLINE
check_PROGRAMS += %D%/key_echo
%C%_key_echo_LDADD = $(UI_LIBS)
TESTS += %D%/keys.sh
endif
EXTRA_DIST += %D%/keys.sh %D%/keys_test.py

# both programs, with the bundled model
EXTRA_DIST += %D%/bundled.sh %D%/bundled_test.py
EXTRA_DIST += %D%/resume.sh %D%/resume_test.py
TESTS += %D%/bundled.sh
EXTRA_DIST += %D%/tutorial.sh %D%/tutorial_test.py
TESTS += %D%/tutorial.sh
TESTS += %D%/resume.sh

# kernels that lack something
check_PROGRAMS += %D%/denied_calls
%C%_denied_calls_LDADD = $(SECCOMP_LIBS)
EXTRA_DIST += %D%/doctor.sh %D%/doctor_test.py
TESTS += %D%/doctor.sh
EXTRA_DIST += %D%/doctor_term.sh %D%/doctor_term_test.py
TESTS += %D%/doctor_term.sh


# signed models, settings and the policy
EXTRA_DIST += %D%/signed.sh %D%/signed_models.py %D%/signed_test.py
TESTS += %D%/signed.sh

EXTRA_DIST += %D%/vault_care.sh %D%/vault_care_test.py
TESTS += %D%/vault_care.sh

EXTRA_DIST += %D%/history.sh %D%/history_test.py %D%/policies.py
TESTS += %D%/history.sh

EXTRA_DIST += %D%/vault.sh %D%/vault_test.py
TESTS += %D%/vault.sh

# what is recorded of a vault
EXTRA_DIST += %D%/audit.sh %D%/audit_test.py
TESTS += %D%/audit.sh
