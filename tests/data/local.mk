# Data of tests. What is kept compressed is unpacked into the build tree: a
# test that needs tests/data/X adds it to UNPACKED, and X.zst is in the tree.
UNPACKED =
check_DATA = $(UNPACKED)
CLEANFILES += $(UNPACKED)
EXTRA_DIST += $(UNPACKED:=.zst)

%D%/%: %D%/%.zst
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)zstd -dqf $< -o $@

UNPACKED += %D%/tokenizer/cases.txt
UNPACKED += %D%/tokenizer/deepseek-coder.gguf
UNPACKED += %D%/tokenizer/deepseek-coder.ids.txt
UNPACKED += %D%/tokenizer/deepseek-llm.gguf
UNPACKED += %D%/tokenizer/deepseek-llm.ids.txt
UNPACKED += %D%/tokenizer/deepseek-v3.gguf
UNPACKED += %D%/tokenizer/deepseek-v3.ids.txt
UNPACKED += %D%/tokenizer/llama-spm.gguf
UNPACKED += %D%/tokenizer/llama-spm.ids.txt
UNPACKED += %D%/tokenizer/llama3_1.gguf
UNPACKED += %D%/tokenizer/llama3_1.ids.txt
UNPACKED += %D%/tokenizer/qwen2.gguf
UNPACKED += %D%/tokenizer/qwen2.ids.txt
UNPACKED += %D%/tokenizer/smollm.gguf
UNPACKED += %D%/tokenizer/smollm.ids.txt
EXTRA_DIST += %D%/tokenizer/bytes.as.txt
EXTRA_DIST += %D%/tokenizer/bytes.txt
EXTRA_DIST += %D%/tokenizer/deepseek-coder.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/deepseek-coder.out
EXTRA_DIST += %D%/tokenizer/deepseek-coder.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/deepseek-llm.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/deepseek-llm.out
EXTRA_DIST += %D%/tokenizer/deepseek-llm.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/deepseek-v3.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/deepseek-v3.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/llama-bpe.out
EXTRA_DIST += %D%/tokenizer/llama-spm.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/llama-spm.out
EXTRA_DIST += %D%/tokenizer/llama-spm.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/llama3_1.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/llama3_1.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/qwen2.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/qwen2.out
EXTRA_DIST += %D%/tokenizer/qwen2.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/smollm.bytes.ids.txt
EXTRA_DIST += %D%/tokenizer/smollm.roundtrip.tsv
EXTRA_DIST += %D%/tokenizer/smollm2.tsv
EXTRA_DIST += %D%/tokenizer/vectors.inp
EXTRA_DIST += %D%/replay
EXTRA_DIST += %D%/prompts %D%/templates %D%/tokenizer/variants

# Many small files in one archive.
HOSTILE_FILES = %D%/hostile/files/hostile.tsv
check_DATA += $(HOSTILE_FILES)
EXTRA_DIST += %D%/hostile/README.md %D%/hostile/expect.tsv
EXTRA_DIST += %D%/hostile/files.tar.zst
$(HOSTILE_FILES): %D%/hostile/files.tar.zst
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)zstd -dqc $< | tar -xmf - -C $(@D)
clean-local-hostile:
	-rm -rf $(builddir)/tests/data/hostile/files
CLEAN_LOCAL = clean-local-hostile
clean-local: $(CLEAN_LOCAL)
.PHONY: clean-local-hostile
UNPACKED += %D%/forward/full_precision.tar
UNPACKED += %D%/forward/quantized.tar

UNPACKED += %D%/smollm2/golden.f32 %D%/smollm2/golden.txt

# a vault of each format that was written; see vault_test
EXTRA_DIST += %D%/vault-1
