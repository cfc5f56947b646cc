# what tests link too
noinst_LIBRARIES += libapp.a
libapp_a_SOURCES = \
    %D%/attachment.c %D%/attachment.h \
    %D%/progress_text.c %D%/progress_text.h \
    %D%/time_text.c %D%/time_text.h \
    %D%/chat/chat_title.c %D%/chat/chat_title.h \
    %D%/chat/kept_cache.c %D%/chat/kept_cache.h \
    %D%/chat/summary.c %D%/chat/summary.h \
    %D%/doctor/doctor.c %D%/doctor/doctor.h \
    %D%/doctor/doctor_folders.c \
    %D%/doctor/doctor_machine.c \
    %D%/history/export_html.c \
    %D%/history/export_json.c \
    %D%/history/export_markdown.c \
    %D%/history/export_writer.h \
    %D%/history/history_export.c %D%/history/history_export.h \
    %D%/history/history_filter.c %D%/history/history_filter.h \
    %D%/history/pattern.c %D%/history/pattern.h \
    %D%/history/history_import.c %D%/history/history_import.h \
    %D%/history/import_chat.c %D%/history/import_chat.h \
    %D%/history/import_fathom.c \
    %D%/history/import_llm.c \
    %D%/history/import_openai.c \
    %D%/history/import_reader.h \
    %D%/history/json_items.c %D%/history/json_items.h \
    %D%/history/turn_count.c %D%/history/turn_count.h \
    %D%/history/turn_tree.c %D%/history/turn_tree.h \
    %D%/vault/audit.c %D%/vault/audit.h \
    %D%/vault/kdf_time.c %D%/vault/kdf_time.h \
    %D%/vault/lock_request.c %D%/vault/lock_request.h \
    %D%/vault/passphrase.c %D%/vault/passphrase.h \
    %D%/vault/unlock.c %D%/vault/unlock.h

# what the gauges of a chat measure
libapp_a_SOURCES += \
    %D%/gauges/bottleneck.c %D%/gauges/bottleneck.h \
    %D%/gauges/expert_window.c %D%/gauges/expert_window.h \
    %D%/gauges/gauges.c %D%/gauges/gauges.h \
    %D%/gauges/machine_state.c %D%/gauges/machine_state.h \
    %D%/model/model_speed.c %D%/model/model_speed.h

bin_PROGRAMS += fathom
fathom_SOURCES = \
    %D%/app.h \
    %D%/client.c %D%/client.h \
    %D%/cmd_completion.c \
    %D%/cmd_engine.c \
    %D%/cmd_help.c \
    %D%/command.h \
    %D%/commands.c \
    %D%/completion.c \
    %D%/confirm.c %D%/confirm.h \
    %D%/exit_code.c %D%/exit_code.h \
    %D%/generation.c %D%/generation.h \
    %D%/help.c %D%/help.h \
    %D%/ini_edit.c %D%/ini_edit.h \
    %D%/ini_file.c %D%/ini_file.h \
    %D%/launch.c %D%/launch.h \
    %D%/main.c \
    %D%/notice.c %D%/notice.h \
    %D%/options.c %D%/options.h \
    %D%/output.c %D%/output.h \
    %D%/places.c %D%/places.h \
    %D%/policy.c %D%/policy.h \
    %D%/preset.c %D%/preset.h \
    %D%/question.c %D%/question.h \
    %D%/report.c %D%/report.h \
    %D%/settings.c %D%/settings.h \
    %D%/settings_keep.c %D%/settings_keep.h \
    %D%/signals.c %D%/signals.h \
    %D%/ask/ask.c %D%/ask/ask.h \
    %D%/ask/ask_keep.c \
    %D%/ask/ask_print.c \
    %D%/ask/cmd_ask.c \
    %D%/ask/thought.c %D%/ask/thought.h \
    %D%/chat/cmd_chat.c \
    %D%/chat/conversation.c %D%/chat/conversation.h \
    %D%/chat/keeping.c %D%/chat/keeping.h \
    %D%/doctor/cmd_doctor.c \
    %D%/doctor/doctor_config.c \
    %D%/doctor/doctor_look.c \
    %D%/doctor/doctor_offline.c \
    %D%/history/cmd_history.c \
    %D%/history/cmd_history_export.c \
    %D%/history/cmd_history_import.c \
    %D%/history/cmd_history_list.c \
    %D%/history/cmd_history_pin.c \
    %D%/history/cmd_history_tag.c \
    %D%/history/cmd_history_rm.c \
    %D%/history/cmd_history_search.c \
    %D%/history/cmd_history_show.c \
    %D%/history/history_common.c %D%/history/history_common.h \
    %D%/model/cmd_model.c %D%/model/cmd_model.h \
    %D%/model/cmd_model_import.c \
    %D%/model/cmd_model_sign.c \
    %D%/model/cmd_model_verify.c \
    %D%/model/cmd_tokenize.c \
    %D%/model/exchange.c %D%/model/exchange.h \
    %D%/model/manifest_head.c %D%/model/manifest_head.h \
    %D%/model/model_check.c %D%/model/model_check.h \
    %D%/model/model_gate.c %D%/model/model_gate.h \
    %D%/model/model_store.c %D%/model/model_store.h \
    %D%/model/model_trust.c %D%/model/model_trust.h \
    %D%/vault/cmd_audit.c \
    %D%/vault/cmd_vault.c %D%/vault/cmd_vault.h \
    %D%/vault/cmd_vault_care.c \
    %D%/vault/cmd_vault_slot.c \
    %D%/vault/cmd_vault_status.c
if WITH_READLINE
fathom_SOURCES += \
    %D%/chat/chat.c %D%/chat/chat.h \
    %D%/chat/chat_attach.c \
    %D%/chat/chat_commands.c \
    %D%/chat/chat_compact.c \
    %D%/chat/chat_copy.c \
    %D%/chat/chat_derive.c \
    %D%/chat/chat_editor.c %D%/chat/chat_editor.h \
    %D%/chat/chat_experts.c \
    %D%/chat/chat_file.c %D%/chat/chat_file.h \
    %D%/chat/chat_gauges.c \
    %D%/chat/chat_handed.c %D%/chat/chat_handed.h \
    %D%/chat/chat_history.c \
    %D%/chat/chat_kept.c \
    %D%/chat/chat_lock.c \
    %D%/chat/chat_plain.c \
    %D%/chat/chat_report.c \
    %D%/chat/chat_secret.c \
    %D%/chat/chat_settings.c \
    %D%/chat/chat_tags.c \
    %D%/chat/chat_thinking.c \
    %D%/chat/chat_tree.c \
    %D%/chat/chat_turn.c \
    %D%/chat/chat_unlock.c \
    %D%/chat/chat_vault.h \
    %D%/chat/chat_verb.h \
    %D%/chat/chat_wait.c \
    %D%/chat/face.h \
    %D%/chat/face_choice.c \
    %D%/doctor/doctor_term.c \
    %D%/screen/chat_screen.c %D%/screen/chat_screen.h \
    %D%/screen/chat_screen_frame.c \
    %D%/screen/chat_screen_help.c \
    %D%/screen/chat_screen_history.c \
    %D%/screen/chat_screen_keys.c \
    %D%/screen/chat_screen_state.c \
    %D%/screen/chat_screen_turns.c \
    %D%/screen/chat_screen_unlock.c \
    %D%/screen/chat_views.h \
    %D%/screen/chat_preview.c %D%/screen/chat_preview.h \
    %D%/screen/chat_rows.c %D%/screen/chat_rows.h \
    %D%/screen/history_source.c %D%/screen/history_source.h \
    %D%/screen/offer_line.c %D%/screen/offer_line.h \
    %D%/screen/chat_screen_experts.c \
    %D%/screen/chat_screen_loading.c \
    %D%/screen/chat_screen_models.c \
    %D%/screen/model_pane.c %D%/screen/model_pane.h \
    %D%/screen/chat_screen_stats.c \
    %D%/screen/side_run.c %D%/screen/side_run.h \
    %D%/screen/unlock_machine.c %D%/screen/unlock_machine.h
endif
fathom_CPPFLAGS = $(AM_CPPFLAGS) \
    -DSYSCONFDIR='"$(sysconfdir)"' \
    -DLIBEXECDIR='"$(libexecdir)"' -DPKGDATADIR='"$(pkgdatadir)"'
fathom_LDADD = libapp.a $(UI_LIBS) $(STORAGE_LIBS) $(INIH_LIBS) \
    $(PCRE2_LIBS) $(SECCOMP_LIBS)

# A build tree has the models beside the program, as an installation has.
noinst_DATA = %D%/models.stamp
CLEANFILES += %D%/models.stamp
%D%/models.stamp:
	$(AM_V_at)$(MKDIR_P) %D% models
	$(AM_V_at)test -e models/fathom-mini.gguf || \
	    ln -sf $(abs_top_srcdir)/models/fathom-mini.gguf models/
	$(AM_V_at)touch $@

# Completions are what the program prints of its own tables.
bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
nodist_bashcompletion_DATA = completions/fathom
nodist_zshcompletion_DATA = completions/_fathom
nodist_fishcompletion_DATA = completions/fathom.fish
CLEANFILES += completions/fathom completions/_fathom completions/fathom.fish
PRINT_COMPLETION = $(AM_V_GEN)$(MKDIR_P) completions && \
    ./fathom$(EXEEXT) completion
completions/fathom: fathom$(EXEEXT)
	$(PRINT_COMPLETION) bash >$@.new && mv $@.new $@
completions/_fathom: fathom$(EXEEXT)
	$(PRINT_COMPLETION) zsh >$@.new && mv $@.new $@
completions/fathom.fish: fathom$(EXEEXT)
	$(PRINT_COMPLETION) fish >$@.new && mv $@.new $@

clean-local:
	-test ! -L models/fathom-mini.gguf || rm -f models/fathom-mini.gguf
