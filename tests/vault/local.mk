# Our vault against a second implementation in another language.
check_PROGRAMS += %D%/vault_tool
%C%_vault_tool_LDADD = $(STORAGE_LIBS)
EXTRA_DIST += %D%/second.py %D%/second.sh %D%/second_test.py
TESTS += %D%/second.sh

# One vault of each format that was ever released; what is in it is beside it.
EXTRA_DIST += tests/data/vault
