EXTRA_DIST += %D%/engine_client.py %D%/replay.sh %D%/replay_test.py
TESTS += %D%/replay.sh
