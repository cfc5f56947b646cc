/* Which face a chat has: a screen where nothing speaks against it. */
#include "config.h"

#include "app/chat/face.h"
#include "app/settings.h"

#include <string.h>
#include <unistd.h>

const char *
face_plain_reason(char *out, size_t size, bool asked)
{
    struct error err;
    const char *why = "";

    if (asked)
        why = "--plain";
    else if (terminal_of(STDOUT_FILENO).accessible)
        why = "ACCESSIBLE is set";
    else if (settings_face() == UI_FACE_PLAIN)
        why = "ui.face = plain";
    else if (screen_possible(&err) != STATUS_OK)
        why = err.text;
    return text_quote(out, size, why, strlen(why));
}
