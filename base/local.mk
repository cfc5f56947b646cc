noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
    %D%/base.h \
    %D%/base64.c %D%/base64.h \
    %D%/blake2b.c %D%/blake2b.h \
    %D%/clock.c %D%/clock.h \
    %D%/confine.c %D%/confine.h \
    %D%/confine_calls.c \
    %D%/confine_files.c \
    %D%/confine_imports.c \
    %D%/confine_probe.c \
    %D%/event.c %D%/event.h \
    %D%/fault.c %D%/fault.h \
    %D%/field.c %D%/field.h \
    %D%/frame.c %D%/frame.h \
    %D%/log.c %D%/log.h \
    %D%/memory.c %D%/memory.h %D%/memory_available.c \
    %D%/process_usage.c %D%/process_usage.h \
    %D%/protocol.c %D%/protocol.h \
    %D%/queue.c %D%/queue.h \
    %D%/rendezvous.c %D%/rendezvous.h \
    %D%/request.c %D%/request.h \
    %D%/status.c %D%/status.h \
    %D%/text.c %D%/text.h
