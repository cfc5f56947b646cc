# what tests link too
noinst_LIBRARIES += libapp.a
libapp_a_SOURCES = \
    %D%/chat_title.c %D%/chat_title.h \
    %D%/doctor.c %D%/doctor.h \
    %D%/doctor_folders.c \
    %D%/doctor_machine.c \
    %D%/export_html.c \
    %D%/export_json.c \
    %D%/export_markdown.c \
    %D%/export_writer.h \
    %D%/history_export.c %D%/history_export.h \
    %D%/history_import.c %D%/history_import.h \
    %D%/import_chat.c %D%/import_chat.h \
    %D%/import_fathom.c \
    %D%/import_llm.c \
    %D%/import_openai.c \
    %D%/import_reader.h \
    %D%/json_items.c %D%/json_items.h \
    %D%/kept_cache.c %D%/kept_cache.h \
    %D%/time_text.c %D%/time_text.h \
    %D%/turn_tree.c %D%/turn_tree.h

libapp_a_SOURCES += \
    %D%/lock_request.c %D%/lock_request.h \
    %D%/passphrase.c %D%/passphrase.h \
    %D%/unlock.c %D%/unlock.h

libapp_a_SOURCES += \
    %D%/audit.c %D%/audit.h

bin_PROGRAMS += fathom
fathom_SOURCES = \
    %D%/app.h \
    %D%/ask.c %D%/ask.h \
    %D%/ask_keep.c \
    %D%/ask_print.c \
    %D%/client.c %D%/client.h \
    %D%/cmd_ask.c \
    %D%/cmd_audit.c \
    %D%/cmd_chat.c \
    %D%/cmd_completion.c \
    %D%/cmd_doctor.c \
    %D%/cmd_engine.c \
    %D%/cmd_help.c \
    %D%/cmd_model.c %D%/cmd_model.h \
    %D%/cmd_model_import.c \
    %D%/cmd_model_sign.c \
    %D%/cmd_model_verify.c \
    %D%/cmd_history.c \
    %D%/cmd_history_export.c \
    %D%/cmd_history_import.c \
    %D%/cmd_history_list.c \
    %D%/cmd_history_pin.c \
    %D%/cmd_history_rm.c \
    %D%/cmd_history_search.c \
    %D%/cmd_history_show.c \
    %D%/history_common.c %D%/history_common.h \
    %D%/cmd_tokenize.c \
    %D%/cmd_vault.c %D%/cmd_vault.h \
    %D%/cmd_vault_care.c \
    %D%/cmd_vault_slot.c \
    %D%/cmd_vault_status.c \
    %D%/command.h \
    %D%/commands.c \
    %D%/completion.c \
    %D%/doctor_offline.c \
    %D%/conversation.c %D%/conversation.h \
    %D%/exchange.c %D%/exchange.h \
    %D%/exit_code.c %D%/exit_code.h \
    %D%/generation.c %D%/generation.h \
    %D%/help.c %D%/help.h \
    %D%/ini_file.c %D%/ini_file.h \
    %D%/keeping.c %D%/keeping.h \
    %D%/launch.c %D%/launch.h \
    %D%/main.c \
    %D%/confirm.c %D%/confirm.h \
    %D%/manifest_head.c %D%/manifest_head.h \
    %D%/model_store.c %D%/model_store.h \
    %D%/model_check.c %D%/model_check.h \
    %D%/model_gate.c %D%/model_gate.h \
    %D%/model_trust.c %D%/model_trust.h \
    %D%/notice.c %D%/notice.h \
    %D%/options.c %D%/options.h \
    %D%/output.c %D%/output.h \
    %D%/places.c %D%/places.h \
    %D%/policy.c %D%/policy.h \
    %D%/progress_text.c %D%/progress_text.h \
    %D%/question.c %D%/question.h \
    %D%/report.c %D%/report.h \
    %D%/settings.c %D%/settings.h \
    %D%/signals.c %D%/signals.h \
    %D%/thought.c %D%/thought.h
if WITH_READLINE
fathom_SOURCES += \
    %D%/chat.c %D%/chat.h \
    %D%/chat_commands.c \
    %D%/chat_history.c \
    %D%/chat_lock.c \
    %D%/chat_secret.c \
    %D%/chat_tree.c \
    %D%/chat_unlock.c \
    %D%/chat_vault.h \
    %D%/chat_verb.h \
    %D%/chat_turn.c \
    %D%/transcript.c %D%/transcript.h
endif
fathom_CPPFLAGS = $(AM_CPPFLAGS) \
    -DSYSCONFDIR='"$(sysconfdir)"' \
    -DLIBEXECDIR='"$(libexecdir)"' -DPKGDATADIR='"$(pkgdatadir)"'
fathom_LDADD = libapp.a libui.a $(STORAGE_LIBS) $(READLINE_LIBS) \
    $(INIH_LIBS) $(SECCOMP_LIBS)

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
