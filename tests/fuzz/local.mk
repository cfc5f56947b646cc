# NAME_fuzz.c holds LLVMFuzzerTestOneInput. With --enable-fuzzers libFuzzer
# drives it (script/fuzz), else replay_main.c feeds it its corpus.
if WITH_FUZZERS
FUZZ_MAIN =
FUZZER_FLAGS = -fsanitize=fuzzer $(AM_LDFLAGS)
else
FUZZ_MAIN = %D%/replay_main.c
FUZZER_FLAGS = $(AM_LDFLAGS)
TESTS += $(FUZZ_TARGETS)
endif
EXTRA_DIST += %D%/corpus

FUZZ_TARGETS =
check_PROGRAMS += $(FUZZ_TARGETS)

FUZZ_TARGETS += %D%/vault_body_fuzz
%C%_vault_body_fuzz_SOURCES = %D%/vault_body_fuzz.c $(FUZZ_MAIN)
%C%_vault_body_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_vault_body_fuzz_LDADD = $(STORAGE_LIBS)

FUZZ_TARGETS += %D%/document_fuzz
%C%_document_fuzz_SOURCES = %D%/document_fuzz.c $(FUZZ_MAIN)
%C%_document_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_document_fuzz_LDADD = $(UI_LIBS)

if WITH_READLINE
FUZZ_TARGETS += %D%/keys_fuzz
%C%_keys_fuzz_SOURCES = %D%/keys_fuzz.c $(FUZZ_MAIN)
%C%_keys_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_keys_fuzz_LDADD = $(UI_LIBS)
endif

FUZZ_TARGETS += %D%/terminal_answer_fuzz
%C%_terminal_answer_fuzz_SOURCES = %D%/terminal_answer_fuzz.c $(FUZZ_MAIN)
%C%_terminal_answer_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_terminal_answer_fuzz_LDADD = $(UI_LIBS)

FUZZ_TARGETS += %D%/sanitiser_fuzz
%C%_sanitiser_fuzz_SOURCES = %D%/sanitiser_fuzz.c $(FUZZ_MAIN)
%C%_sanitiser_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_sanitiser_fuzz_LDADD = $(UI_LIBS)

FUZZ_TARGETS += %D%/tokenizer_fuzz %D%/vocabulary_fuzz %D%/prompt_fuzz
%C%_tokenizer_fuzz_SOURCES = %D%/tokenizer_fuzz.c \
    tests/unit/gguf_writer.c tests/unit/gguf_writer.h $(FUZZ_MAIN)
%C%_tokenizer_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_tokenizer_fuzz_LDADD = $(ENGINE_LIBS)
%C%_vocabulary_fuzz_SOURCES = %D%/vocabulary_fuzz.c \
    tests/unit/gguf_writer.c tests/unit/gguf_writer.h $(FUZZ_MAIN)
%C%_vocabulary_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_vocabulary_fuzz_LDADD = $(ENGINE_LIBS)
%C%_prompt_fuzz_SOURCES = %D%/prompt_fuzz.c $(FUZZ_MAIN)
%C%_prompt_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_prompt_fuzz_LDADD = $(ENGINE_LIBS)

FUZZ_TARGETS += %D%/gguf_fuzz
%C%_gguf_fuzz_SOURCES = %D%/gguf_fuzz.c $(FUZZ_MAIN)
%C%_gguf_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_gguf_fuzz_LDADD = $(ENGINE_LIBS)

# A packed corpus, unpacked into the build tree.
GGUF_CORPUS = %D%/corpus/gguf/unpacked
check_DATA += $(GGUF_CORPUS)
$(GGUF_CORPUS): %D%/corpus/gguf.tar.zst
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)zstd -dqc $< | tar -xmf - -C $(@D)
	@touch $@
clean-gguf-corpus:
	-rm -rf $(builddir)/tests/fuzz/corpus/gguf
CLEAN_LOCAL += clean-gguf-corpus
.PHONY: clean-gguf-corpus

FUZZ_TARGETS += %D%/client_fuzz %D%/frame_fuzz %D%/message_fuzz
%C%_client_fuzz_SOURCES = %D%/client_fuzz.c $(FUZZ_MAIN)
%C%_client_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_client_fuzz_LDADD = $(ENGINE_LIBS) libbase.a -lm
%C%_frame_fuzz_SOURCES = %D%/frame_fuzz.c $(FUZZ_MAIN)
%C%_frame_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_frame_fuzz_LDADD = libbase.a
%C%_message_fuzz_SOURCES = %D%/message_fuzz.c $(FUZZ_MAIN)
%C%_message_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_message_fuzz_LDADD = libbase.a $(JANSSON_LIBS)

FUZZ_TARGETS += %D%/snapshot_fuzz
%C%_snapshot_fuzz_SOURCES = %D%/snapshot_fuzz.c $(FUZZ_MAIN) \
    tests/model/oracle.c tests/model/oracle.h \
    tests/model/tiny_models.c tests/model/tiny_models.h
%C%_snapshot_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_snapshot_fuzz_LDADD = $(ENGINE_LIBS) -lm

FUZZ_TARGETS += %D%/import_fuzz
%C%_import_fuzz_SOURCES = %D%/import_fuzz.c $(FUZZ_MAIN)
%C%_import_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_import_fuzz_LDADD = libapp.a $(UI_LIBS) $(STORAGE_LIBS)

FUZZ_TARGETS += %D%/pattern_fuzz
%C%_pattern_fuzz_SOURCES = %D%/pattern_fuzz.c $(FUZZ_MAIN)
%C%_pattern_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_pattern_fuzz_LDADD = libapp.a libbase.a $(PCRE2_LIBS)

FUZZ_TARGETS += %D%/sealed_export_fuzz
%C%_sealed_export_fuzz_SOURCES = %D%/sealed_export_fuzz.c $(FUZZ_MAIN)
%C%_sealed_export_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_sealed_export_fuzz_LDADD = $(STORAGE_LIBS)

FUZZ_TARGETS += %D%/vault_keys_fuzz
%C%_vault_keys_fuzz_SOURCES = %D%/vault_keys_fuzz.c $(FUZZ_MAIN)
%C%_vault_keys_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_vault_keys_fuzz_LDADD = $(STORAGE_LIBS)

FUZZ_TARGETS += %D%/manifest_fuzz %D%/minisign_fuzz %D%/ini_fuzz
%C%_manifest_fuzz_SOURCES = %D%/manifest_fuzz.c $(FUZZ_MAIN)
%C%_manifest_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_manifest_fuzz_LDADD = $(STORAGE_LIBS)
%C%_minisign_fuzz_SOURCES = %D%/minisign_fuzz.c $(FUZZ_MAIN)
%C%_minisign_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_minisign_fuzz_LDADD = $(STORAGE_LIBS)
%C%_ini_fuzz_SOURCES = %D%/ini_fuzz.c $(FUZZ_MAIN) $(SETTINGS_FILES) \
    app/ini_edit.c app/settings_keep.c
%C%_ini_fuzz_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"/nonexistent"'
%C%_ini_fuzz_LDFLAGS = $(FUZZER_FLAGS)
%C%_ini_fuzz_LDADD = $(STORAGE_LIBS) $(INIH_LIBS) -lm
