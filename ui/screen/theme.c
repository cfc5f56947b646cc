/* The table of looks. Colours are the palette's that xterm has had always. */
#include "config.h"

#include "ui/screen/theme.h"

enum { THEMES = THEME_MONO + 1, NONE = -1 };

enum { RED = 1, GREEN, YELLOW, BLUE, MAGENTA, CYAN };

static const struct {
    unsigned attributes;
    int foreground[THEMES]; // NONE in mono
    int background[THEMES];
} looks[LOOKS] = {
    [LOOK_PLAIN] = {0, {NONE, NONE, NONE, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_STRONG] = {SHOWN_BOLD,
                     {NONE, NONE, NONE, NONE},
                     {NONE, NONE, NONE, NONE}},
    [LOOK_EMPHASIS] = {SHOWN_UNDERLINE,
                       {NONE, NONE, NONE, NONE},
                       {NONE, NONE, NONE, NONE}},
    [LOOK_HEADING] = {SHOWN_BOLD | SHOWN_UNDERLINE,
                      {NONE, 153, 25, NONE},
                      {NONE, NONE, NONE, NONE}},
    [LOOK_CODE] = {0, {CYAN, 152, 23, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_CODE_WORD] = {SHOWN_BOLD,
                        {CYAN, 117, 24, NONE},
                        {NONE, NONE, NONE, NONE}},
    [LOOK_CODE_STRING] = {0, {GREEN, 150, 28, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_CODE_NUMBER] = {0,
                          {MAGENTA, 182, 90, NONE},
                          {NONE, NONE, NONE, NONE}},
    [LOOK_CODE_COMMENT] = {SHOWN_DIM,
                           {NONE, 246, 242, NONE},
                           {NONE, NONE, NONE, NONE}},
    [LOOK_LITERAL] = {SHOWN_BOLD,
                      {CYAN, 152, 23, NONE},
                      {NONE, NONE, NONE, NONE}},
    [LOOK_LINK] = {SHOWN_UNDERLINE,
                   {BLUE, 111, 26, NONE},
                   {NONE, NONE, NONE, NONE}},
    [LOOK_DIM] = {SHOWN_DIM, {NONE, 246, 242, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_MARK] = {SHOWN_DIM | SHOWN_REVERSE,
                   {NONE, NONE, NONE, NONE},
                   {NONE, NONE, NONE, NONE}},
    [LOOK_ROLE] = {SHOWN_BOLD, {CYAN, 117, 24, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_TITLE] = {SHOWN_BOLD,
                    {NONE, NONE, NONE, NONE},
                    {NONE, NONE, NONE, NONE}},
    [LOOK_MATCH] = {SHOWN_REVERSE,
                    {YELLOW, 222, 94, NONE},
                    {NONE, NONE, NONE, NONE}},
    [LOOK_CHOSEN] = {SHOWN_BOLD | SHOWN_REVERSE,
                     {NONE, NONE, NONE, NONE},
                     {NONE, NONE, NONE, NONE}},
    [LOOK_GOOD] = {0, {GREEN, 114, 28, NONE}, {NONE, NONE, NONE, NONE}},
    [LOOK_WARNING] = {SHOWN_BOLD,
                      {RED, 209, 160, NONE},
                      {NONE, NONE, NONE, NONE}},
    [LOOK_HOT] = {SHOWN_BOLD,
                  {YELLOW, 215, 130, NONE},
                  {NONE, NONE, NONE, NONE}},
    [LOOK_COLD] = {SHOWN_DIM, {BLUE, 67, 67, NONE}, {NONE, NONE, NONE, NONE}},
};

static enum screen_theme
possible_theme(enum screen_theme theme, int colours)
{
    if (colours < 8)
        return THEME_MONO;
    if (colours < 256 && theme != THEME_MONO)
        return THEME_TERMINAL;
    return theme;
}

struct theme_look
theme_look(enum screen_theme theme, enum look look, int colours)
{
    enum screen_theme shown = possible_theme(theme, colours);
    struct theme_look out = {
        .attributes = looks[look].attributes,
        .foreground = looks[look].foreground[shown],
        .background = looks[look].background[shown],
    };

    // a grey of its own is not dimmed twice
    if (shown == THEME_DARK || shown == THEME_LIGHT)
        if (out.foreground != NONE)
            out.attributes &= ~(unsigned) SHOWN_DIM;
    return out;
}
