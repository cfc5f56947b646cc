UNIT_TEST_LIBS = libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += %D%/memory_test %D%/text_test
TESTS += %D%/memory_test %D%/text_test
%C%_memory_test_LDADD = $(UNIT_TEST_LIBS)
%C%_text_test_LDADD = $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/printer_test %D%/sanitiser_test %D%/spoken_table_test
TESTS += %D%/printer_test %D%/sanitiser_test %D%/spoken_table_test
%C%_spoken_table_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
check_PROGRAMS += %D%/document_test
TESTS += %D%/document_test
%C%_document_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
check_PROGRAMS += %D%/code_looks_test %D%/latex_test %D%/text_width_test
TESTS += %D%/code_looks_test %D%/latex_test %D%/text_width_test
%C%_code_looks_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
%C%_latex_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
%C%_text_width_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

%C%_printer_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
%C%_sanitiser_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/canvas_test %D%/clipboard_test
TESTS += %D%/canvas_test %D%/clipboard_test
%C%_canvas_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
%C%_clipboard_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

check_PROGRAMS += %D%/terminal_answer_test
TESTS += %D%/terminal_answer_test
%C%_terminal_answer_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

QUANT_TEST_LIBS = libquant.a $(UNIT_TEST_LIBS) -lm
check_PROGRAMS += %D%/codebooks_test %D%/floats_test %D%/formats_test \
    %D%/interleaved_test
TESTS += %D%/codebooks_test %D%/floats_test %D%/formats_test \
    %D%/interleaved_test
%C%_codebooks_test_SOURCES = %D%/codebooks_test.c %D%/sha256.c %D%/sha256.h
%C%_codebooks_test_LDADD = $(QUANT_TEST_LIBS)
%C%_floats_test_SOURCES = %D%/floats_test.c \
    %D%/random_rows.c %D%/random_rows.h
%C%_floats_test_LDADD = $(QUANT_TEST_LIBS)
%C%_formats_test_SOURCES = %D%/formats_test.c \
    %D%/random_rows.c %D%/random_rows.h %D%/sha256.c %D%/sha256.h
%C%_formats_test_LDADD = $(QUANT_TEST_LIBS)
%C%_interleaved_test_SOURCES = %D%/interleaved_test.c \
    %D%/random_rows.c %D%/random_rows.h
%C%_interleaved_test_LDADD = $(QUANT_TEST_LIBS)

check_PROGRAMS += %D%/protocol_test %D%/queue_test
TESTS += %D%/protocol_test %D%/queue_test
%C%_queue_test_LDADD = $(UNIT_TEST_LIBS)

check_PROGRAMS += \
    %D%/channels_test %D%/rendezvous_test %D%/sampler_test \
    %D%/server_client_test
TESTS += \
    %D%/channels_test %D%/rendezvous_test %D%/sampler_test \
    %D%/server_client_test
%C%_server_client_test_LDADD = $(ENGINE_LIBS) libbase.a $(CMOCKA_LIBS) -lm
%C%_rendezvous_test_LDADD = $(ENGINE_LIBS) libbase.a $(CMOCKA_LIBS) -lm
%C%_channels_test_LDADD = $(ENGINE_LIBS) libbase.a $(CMOCKA_LIBS) -lm
%C%_sampler_test_LDADD = $(ENGINE_LIBS) libbase.a $(CMOCKA_LIBS) -lm
%C%_protocol_test_LDADD = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/loop_finder_test
TESTS += %D%/loop_finder_test
%C%_loop_finder_test_LDADD = $(ENGINE_LIBS) libbase.a $(CMOCKA_LIBS) -lm

GOLDEN_FILES = %D%/golden_file.c %D%/golden_file.h \
    %D%/gguf_writer.c %D%/gguf_writer.h \
    %D%/vocabulary_files.c %D%/vocabulary_files.h
text_tests = %D%/tokenizer_test %D%/prompt_test %D%/vocabulary_test \
    %D%/pretokenizer_test %D%/merge_list_test %D%/detokenizer_test
check_PROGRAMS += $(text_tests)
TESTS += $(text_tests)
%C%_detokenizer_test_SOURCES = %D%/detokenizer_test.c $(GOLDEN_FILES)
%C%_detokenizer_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_merge_list_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_pretokenizer_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_vocabulary_test_SOURCES = %D%/vocabulary_test.c $(GOLDEN_FILES)
%C%_vocabulary_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_prompt_test_SOURCES = %D%/prompt_test.c $(GOLDEN_FILES)
%C%_prompt_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_tokenizer_test_SOURCES = %D%/tokenizer_test.c $(GOLDEN_FILES)
%C%_tokenizer_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)

MODEL_WRITER = %D%/model_writer.c %D%/model_writer.h
check_PROGRAMS += %D%/gguf_test %D%/load_test %D%/shape_test
TESTS += %D%/gguf_test %D%/load_test %D%/shape_test
%C%_gguf_test_SOURCES = %D%/gguf_test.c $(MODEL_WRITER)
%C%_gguf_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
%C%_shape_test_SOURCES = %D%/shape_test.c $(MODEL_WRITER) \
    %D%/published.c %D%/published.h
%C%_shape_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += %D%/reader_test
TESTS += %D%/reader_test
%C%_reader_test_LDADD = libstorage.a $(UNIT_TEST_LIBS)
%C%_load_test_SOURCES = %D%/load_test.c $(MODEL_WRITER) \
    %D%/published.c %D%/published.h
%C%_load_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += %D%/workers_test
TESTS += %D%/workers_test
%C%_workers_test_LDADD = $(KERNELS_LIBS) $(CMOCKA_LIBS)


check_PROGRAMS += %D%/blake2b_test %D%/fingerprint_test
TESTS += %D%/blake2b_test %D%/fingerprint_test
%C%_blake2b_test_LDADD = $(UNIT_TEST_LIBS) $(SODIUM_LIBS)
%C%_fingerprint_test_SOURCES = %D%/fingerprint_test.c $(MODEL_WRITER)
%C%_fingerprint_test_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)

APP_TEST_LIBS = libapp.a $(UI_LIBS) $(STORAGE_LIBS) $(PCRE2_LIBS) \
    $(CMOCKA_LIBS)
check_PROGRAMS += %D%/attachment_test
TESTS += %D%/attachment_test
%C%_attachment_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/chat_title_test %D%/history_export_test
TESTS += %D%/chat_title_test %D%/history_export_test
check_PROGRAMS += %D%/history_filter_test
TESTS += %D%/history_filter_test
%C%_history_filter_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/pattern_test
TESTS += %D%/pattern_test
%C%_pattern_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/history_import_test
TESTS += %D%/history_import_test
%C%_history_import_test_LDADD = $(APP_TEST_LIBS)
%C%_chat_title_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/offer_line_test
TESTS += %D%/offer_line_test
%C%_offer_line_test_SOURCES = %D%/offer_line_test.c app/screen/offer_line.c
%C%_offer_line_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/conversation_test
TESTS += %D%/conversation_test
%C%_conversation_test_SOURCES = %D%/conversation_test.c \
    app/chat/conversation.c
%C%_conversation_test_LDADD = $(APP_TEST_LIBS)
%C%_history_export_test_SOURCES = %D%/history_export_test.c \
    %D%/sha256.c %D%/sha256.h
%C%_history_export_test_LDADD = $(APP_TEST_LIBS)

SETTINGS_FILES = app/ini_file.c app/options.c app/policy.c app/settings.c
check_PROGRAMS += %D%/settings_test
TESTS += %D%/settings_test
%C%_settings_test_SOURCES = %D%/settings_test.c $(SETTINGS_FILES)
%C%_settings_test_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"/nonexistent"'
%C%_settings_test_LDADD = libbase.a $(INIH_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += %D%/settings_keep_test
TESTS += %D%/settings_keep_test
%C%_settings_keep_test_SOURCES = %D%/settings_keep_test.c \
    %D%/vault_folder.c %D%/vault_folder.h \
    app/ini_edit.c app/settings_keep.c $(SETTINGS_FILES)
%C%_settings_keep_test_CPPFLAGS = $(AM_CPPFLAGS) \
    -DSYSCONFDIR='"/nonexistent"'
%C%_settings_keep_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=policy_now
%C%_settings_keep_test_LDADD = $(STORAGE_LIBS) $(INIH_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += %D%/confine_test
TESTS += %D%/confine_test
%C%_confine_test_LDADD = $(UNIT_TEST_LIBS) $(SECCOMP_LIBS)
check_PROGRAMS += %D%/doctor_test
TESTS += %D%/doctor_test
%C%_doctor_test_LDADD = $(APP_TEST_LIBS)

check_PROGRAMS += %D%/vault_keys_test
TESTS += %D%/vault_keys_test
%C%_vault_keys_test_SOURCES = %D%/vault_keys_test.c \
    %D%/vault_folder.c %D%/vault_folder.h
%C%_vault_keys_test_LDFLAGS = $(AM_LDFLAGS) \
    -Wl,--wrap=crypto_pwhash -Wl,--wrap=time \
    -Wl,--wrap=sodium_memcmp
%C%_vault_keys_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/derivation_test
TESTS += %D%/derivation_test
%C%_derivation_test_LDFLAGS = $(AM_LDFLAGS) \
    -Wl,--wrap=crypto_pwhash -Wl,--wrap=sodium_free
%C%_derivation_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/base64_test
TESTS += %D%/base64_test
%C%_base64_test_LDADD = $(UNIT_TEST_LIBS)


check_PROGRAMS += %D%/minisign_test %D%/model_manifest_test
TESTS += %D%/minisign_test %D%/model_manifest_test
%C%_minisign_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
%C%_model_manifest_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/kept_cache_test
TESTS += %D%/kept_cache_test
%C%_kept_cache_test_SOURCES = %D%/kept_cache_test.c app/chat/kept_cache.c
%C%_kept_cache_test_LDADD = libbase.a $(JANSSON_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/sealed_export_test
TESTS += %D%/sealed_export_test
%C%_sealed_export_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

VAULT_PLACE = %D%/vault_place.c %D%/vault_place.h \
    %D%/vault_fixture.c %D%/vault_fixture.h
check_PROGRAMS += %D%/vault_care_test
TESTS += %D%/vault_care_test
%C%_vault_care_test_SOURCES = %D%/vault_care_test.c $(VAULT_PLACE)
%C%_vault_care_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/vault_crash_test
TESTS += %D%/vault_crash_test
%C%_vault_crash_test_SOURCES = %D%/vault_crash_test.c \
    %D%/shim_vfs.c %D%/shim_vfs.h $(VAULT_PLACE)
%C%_vault_crash_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/vault_body_test
TESTS += %D%/vault_body_test
%C%_vault_body_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/sealed_test %D%/vault_attack_test
TESTS += %D%/sealed_test %D%/vault_attack_test
%C%_sealed_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
%C%_vault_attack_test_SOURCES = %D%/vault_attack_test.c $(VAULT_PLACE)
%C%_vault_attack_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/vault_test
TESTS += %D%/vault_test
%C%_vault_test_SOURCES = %D%/vault_test.c $(VAULT_PLACE)
%C%_vault_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/vault_import_test
TESTS += %D%/vault_import_test
%C%_vault_import_test_SOURCES = %D%/vault_import_test.c $(VAULT_PLACE)
%C%_vault_import_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/secret_test %D%/safe_file_test
TESTS += %D%/secret_test %D%/safe_file_test
%C%_secret_test_LDADD = $(STORAGE_LIBS) $(SECCOMP_LIBS) $(CMOCKA_LIBS)
%C%_safe_file_test_SOURCES = %D%/safe_file_test.c \
    %D%/vault_folder.c %D%/vault_folder.h
%C%_safe_file_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fcntl
%C%_safe_file_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/needle_test
TESTS += %D%/needle_test
%C%_needle_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += %D%/inbox_test
TESTS += %D%/inbox_test
%C%_inbox_test_SOURCES = %D%/inbox_test.c $(VAULT_PLACE)
%C%_inbox_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += %D%/audit_test
TESTS += %D%/audit_test
%C%_audit_test_SOURCES = %D%/audit_test.c app/report.c
%C%_audit_test_LDADD = $(APP_TEST_LIBS)

check_PROGRAMS += %D%/bottleneck_test %D%/expert_window_test \
    %D%/machine_state_test
TESTS += %D%/bottleneck_test %D%/expert_window_test %D%/machine_state_test
%C%_expert_window_test_LDADD = $(APP_TEST_LIBS)
%C%_machine_state_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/gauges_test
TESTS += %D%/gauges_test
%C%_gauges_test_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/model_speed_test
TESTS += %D%/model_speed_test
%C%_model_speed_test_LDADD = $(APP_TEST_LIBS)
%C%_bottleneck_test_LDADD = $(APP_TEST_LIBS)

check_PROGRAMS += %D%/transcript_test
TESTS += %D%/transcript_test
%C%_transcript_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)

if WITH_READLINE
check_PROGRAMS += %D%/input_box_test %D%/line_editor_test
TESTS += %D%/input_box_test %D%/line_editor_test
%C%_input_box_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
%C%_line_editor_test_LDADD = $(UI_LIBS) $(UNIT_TEST_LIBS)
endif

check_PROGRAMS += %D%/tags_test
TESTS += %D%/tags_test
%C%_tags_test_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
