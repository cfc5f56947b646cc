modelsdir = $(pkgdatadir)/models
dist_models_DATA = %D%/fathom-mini.gguf
EXTRA_DIST += %D%/fathom-mini.md \
    %D%/train/README.md %D%/train/bpe.py %D%/train/export.py \
    %D%/train/merges.json %D%/train/model.py %D%/train/problems.py \
    %D%/train/tasks.py %D%/train/train.py
