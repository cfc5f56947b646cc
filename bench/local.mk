EXTRA_DIST += %D%/peer/compare %D%/peer/llama_capi.py

noinst_PROGRAMS += %D%/shape_file
%C%_shape_file_LDADD = $(ENGINE_LIBS)
