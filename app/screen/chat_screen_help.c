/* The help of the screen knows the commands of the chat from their table. */
#include "config.h"

#include "app/chat/chat_verb.h"
#include "app/screen/chat_views.h"

enum { COMMANDS_MOST = 200 };

enum status
chat_screen_help_open(struct chat *chat, view_post_fn *post, void *context,
                      struct view *out, struct error *err)
{
    struct help_command verbs[COMMANDS_MOST];
    size_t count = 0;

    (void) chat;
    for (; count < COMMANDS_MOST && chat_verbs[count].name != NULL; count++)
        verbs[count] = (struct help_command){chat_verbs[count].name,
                                             chat_verbs[count].arguments,
                                             chat_verbs[count].help};
    struct help_content content = {verbs, count,
                                   settings_enter() == UI_ENTER_NEWLINE};

    return view_help_open(out, &content, post, context, err);
}

void
chat_screen_help_close(struct view *view)
{
    view_help_close(view);
}
