/* What a failure of the vault or of files ends the program with. */
#include "config.h"

#include "app/exit_code.h"

#include <signal.h>

int
exit_code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_SUCCESS;
    case STATUS_NOMEM:
        return EXIT_UNAVAILABLE;
    case STATUS_IO:
        return EXIT_CANT_WRITE;
    case STATUS_FORMAT:
    case STATUS_LIMIT:
    case STATUS_UNSUPPORTED:
        return EXIT_BAD_DATA;
    case STATUS_DENIED:
        return EXIT_DENIED;
    case STATUS_INTEGRITY:
        return EXIT_ALARM;
    case STATUS_BUSY:
        return EXIT_BUSY;
    case STATUS_SIGNATURE:
        return EXIT_UNSIGNED;
    case STATUS_DEVICE:
    case STATUS_CANCELLED:
        break;
    }
    return EXIT_INTERNAL;
}

int
exit_code_of_start(enum status status)
{
    switch (status) {
    case STATUS_SIGNATURE:
    case STATUS_DENIED:
    case STATUS_FORMAT:
    case STATUS_UNSUPPORTED:
        return exit_code_of(status);
    case STATUS_CANCELLED:
        return EXIT_SIGNAL + SIGINT;
    case STATUS_OK:
    case STATUS_NOMEM:
    case STATUS_IO:
    case STATUS_LIMIT:
    case STATUS_DEVICE:
    case STATUS_INTEGRITY:
    case STATUS_BUSY:
        break;
    }
    return EXIT_UNAVAILABLE;
}
