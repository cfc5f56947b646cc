# What gets out of the programs: files, calls, memory.
EXTRA_DIST += %D%/canaries.py
EXTRA_DIST += %D%/leaks.sh %D%/leaks_test.py
TESTS += %D%/leaks.sh
EXTRA_DIST += %D%/traces.sh %D%/traces_test.py
TESTS += %D%/traces.sh
EXTRA_DIST += %D%/intruders.sh %D%/intruders_test.py
TESTS += %D%/intruders.sh
