/* What each language is told by. Labels are those that models write. */
#include "config.h"

#include "ui/text/code_language.h"

#include <stddef.h>

#define COMMENT LOOK_CODE_COMMENT
#define STRING LOOK_CODE_STRING

// spans that many share
#define TO_END(mark) mark, NULL, COMMENT, 0
#define HASH "#", NULL, COMMENT, SPAN_AFTER_BLANK
#define C_COMMENT "/*", "*/", COMMENT, SPAN_LINES
#define DOUBLE "\"", "\"", STRING, SPAN_ESCAPES
#define SINGLE "'", "'", STRING, SPAN_ESCAPES
#define CHARACTER "'", "'", STRING, SPAN_ESCAPES | SPAN_CHARACTER
#define BACKTICK "`", "`", STRING, SPAN_ESCAPES | SPAN_LINES
#define THREE_DOUBLE "\"\"\"", "\"\"\"", STRING, SPAN_ESCAPES | SPAN_LINES
#define THREE_SINGLE "'''", "'''", STRING, SPAN_ESCAPES | SPAN_LINES
#define DOUBLE_LINES "\"", "\"", STRING, SPAN_ESCAPES | SPAN_LINES
#define SINGLE_LINES "'", "'", STRING, SPAN_LINES

const struct code_language code_languages[] = {
    {
        .names = " c cpp c++ cc cxx h hpp hh cuda cu objc objective-c arduino "
                 "glsl hlsl opencl metal ",
        .words =
            " auto bool break case catch char class co_await co_return "
            "co_yield concept const constexpr continue decltype default delete "
            "do double else enum explicit extern false final float for friend "
            "goto if inline int int8_t int16_t int32_t int64_t long mutable "
            "namespace new noexcept nullptr NULL operator override private "
            "protected public register requires restrict return short signed "
            "size_t sizeof static static_assert static_cast struct switch "
            "template this thread_local throw true try typedef typename "
            "uint8_t uint16_t uint32_t uint64_t union unsigned using virtual "
            "void volatile while __global__ __device__ __host__ __shared__ ",
        .span = {{TO_END("//")}, {C_COMMENT}, {DOUBLE}, {SINGLE}},
        .directives = true,
    },
    {
        .names = " python py python3 pycon ipython cython starlark bazel ",
        .words = " and as assert async await break case class continue def del "
                 "elif else except False finally for from global if import in "
                 "is lambda match None nonlocal not or pass raise return self "
                 "True try while with yield ",
        .span =
            {{TO_END("#")}, {THREE_DOUBLE}, {THREE_SINGLE}, {DOUBLE}, {SINGLE}},
        .at_words = true,
    },
    {
        .names = " javascript js jsx typescript ts tsx mjs node vue svelte ",
        .words = " abstract any as async await boolean break case catch class "
                 "const continue debugger declare default delete do else enum "
                 "export extends false finally for from function get if "
                 "implements import in instanceof interface let namespace new "
                 "null number of private protected public readonly return set "
                 "static string super switch this throw true try type typeof "
                 "undefined unknown var void while with yield ",
        .span = {{TO_END("//")}, {C_COMMENT}, {DOUBLE}, {SINGLE}, {BACKTICK}},
        .also = "$",
        .at_words = true,
    },
    {
        .names = " java kotlin kt kts scala groovy gradle csharp cs c# dart "
                 "swift ",
        .words =
            " abstract as assert async await bool boolean break byte case "
            "catch char class companion const continue data def default do "
            "double else enum extends extension false final finally float for "
            "foreach fun func get guard if implements implicit import in init "
            "instanceof int interface internal is let lazy long match module "
            "namespace native new nil null object open operator out override "
            "package params private protected protocol public readonly record "
            "return sealed self set short static string struct super suspend "
            "switch synchronized this throw throws trait transient true try "
            "typeof using val var virtual void volatile when where while with "
            "yield ",
        .span =
            {{TO_END("//")}, {C_COMMENT}, {THREE_DOUBLE}, {DOUBLE}, {SINGLE}},
        .at_words = true,
    },
    {
        .names = " go golang zig v ",
        .words =
            " any bool break byte case chan comptime const continue "
            "default defer else error errdefer fallthrough false fn float32 "
            "float64 for func go goto if import int int8 int16 int32 int64 "
            "interface iota map nil orelse package pub range return rune "
            "select string struct switch true try type uint uint8 uint16 "
            "uint32 uint64 uintptr usize var while ",
        .span = {{TO_END("//")},
                 {C_COMMENT},
                 {DOUBLE},
                 {SINGLE},
                 {"`", "`", STRING, SPAN_LINES}},
    },
    {
        .names = " rust rs ",
        .words =
            " as async await bool box break char const continue crate dyn else "
            "enum extern f32 f64 false fn for i8 i16 i32 i64 i128 if impl in "
            "isize let loop match mod move mut pub ref return Self self static "
            "str struct super trait true type u8 u16 u32 u64 u128 union unsafe "
            "use usize where while ",
        .span = {{TO_END("//")}, {C_COMMENT}, {DOUBLE_LINES}, {CHARACTER}},
    },
    {
        .names = " bash sh shell zsh fish console shellsession ksh ",
        .words = " alias break case continue declare do done echo elif else "
                 "end esac eval exec exit export false fi for function if in "
                 "local readonly return set shift source test then time trap "
                 "true unset until while ",
        .span = {{HASH}, {DOUBLE_LINES}, {SINGLE_LINES}},
        .also = "$-",
    },
    {
        .names = " powershell ps1 pwsh ",
        .words = " begin break catch class continue do else elseif end exit "
                 "filter finally for foreach function if in param process "
                 "return switch throw try until while ",
        .span = {{"<#", "#>", COMMENT, SPAN_LINES},
                 {HASH},
                 {"\"", "\"", STRING, SPAN_LINES},
                 {SINGLE_LINES}},
        .also = "$-",
        .any_case = true,
    },
    {
        .names = " sql mysql postgres postgresql sqlite plsql tsql ",
        .words =
            " add all alter and any as asc begin between bigint boolean by "
            "cascade case char check column commit constraint create cross "
            "date decimal default delete desc distinct drop else end exists "
            "false float foreign from full function group having if in index "
            "inner insert int integer into is join key left like limit not "
            "null numeric offset on or order outer over partition primary "
            "references replace returning right rollback select set table text "
            "then timestamp transaction trigger true union unique update using "
            "values varchar view when where with ",
        .span = {{TO_END("--")},
                 {C_COMMENT},
                 {SINGLE_LINES},
                 {"\"", "\"", STRING, 0}},
        .any_case = true,
    },
    {
        .names = " ruby rb crystal elixir ex exs ",
        .words = " alias and begin break case class cond def defmodule defp do "
                 "else elsif end ensure false fn for if import in module next "
                 "nil not or private raise redo require rescue retry return "
                 "self super then true undef unless until use when while with "
                 "yield ",
        .span = {{HASH}, {THREE_DOUBLE}, {DOUBLE_LINES}, {SINGLE}},
        .also = "@?!",
    },
    {
        .names = " perl pl ",
        .words = " and cmp continue do each else elsif eq eval for foreach ge "
                 "gt if keys last le local lt my ne next no not or our package "
                 "print push redo require return say shift sub undef unless "
                 "until use values while ",
        .span = {{HASH}, {DOUBLE}, {SINGLE}},
        .also = "$@%",
    },
    {
        .names = " php ",
        .words =
            " abstract and array as break case catch class clone const "
            "continue declare default do echo else elseif empty enum extends "
            "false final finally fn for foreach function global if implements "
            "include instanceof interface isset match namespace new null or "
            "private protected public readonly require require_once return "
            "static switch throw trait true try unset use var while yield ",
        .span = {{TO_END("//")}, {C_COMMENT}, {HASH}, {DOUBLE_LINES}, {SINGLE}},
        .also = "$",
    },
    {
        .names = " lua luau ",
        .words = " and break do else elseif end false for function goto if in "
                 "local nil not or repeat return then true until while ",
        .span = {{"--[[", "]]", COMMENT, SPAN_LINES},
                 {TO_END("--")},
                 {"[[", "]]", STRING, SPAN_LINES},
                 {DOUBLE},
                 {SINGLE}},
    },
    {
        .names = " r julia jl ",
        .words = " abstract baremodule begin break catch const do else elseif "
                 "end export FALSE false finally for function global if import "
                 "in Inf let library local macro module mutable NA next NULL "
                 "nothing repeat return struct TRUE true try using while ",
        .span = {{"#=", "=#", COMMENT, SPAN_LINES},
                 {TO_END("#")},
                 {THREE_DOUBLE},
                 {DOUBLE_LINES},
                 {CHARACTER}},
        .also = ".",
    },
    {
        .names = " matlab octave ",
        .words = " break case catch classdef continue else elseif end for "
                 "function global if otherwise parfor persistent return switch "
                 "try while ",
        .span = {{TO_END("%")}, {DOUBLE}},
    },
    {
        .names = " haskell hs elm purescript ",
        .words =
            " case class data deriving do else forall foreign if import in "
            "infix infixl infixr instance let module newtype of qualified "
            "then type where ",
        .span = {{"{-", "-}", COMMENT, SPAN_LINES},
                 {TO_END("--")},
                 {DOUBLE},
                 {CHARACTER}},
        .also = "'",
    },
    {
        .names = " ocaml ml fsharp f# sml ",
        .words =
            " and as assert begin class do done downto else end exception "
            "external false for fun function functor if in include inherit "
            "let match member method module mutable new object of open "
            "rec sig struct then to true try type val when while with ",
        .span = {{"(*", "*)", COMMENT, SPAN_LINES},
                 {TO_END("//")},
                 {DOUBLE_LINES},
                 {CHARACTER}},
        .also = "'",
    },
    {
        .names =
            " lisp elisp emacs-lisp common-lisp scheme racket clojure clj ",
        .words = " and begin case cond def defmacro defn defparameter defun "
                 "defvar define do else fn if lambda let let* letrec loop nil "
                 "not ns or progn quote recur require set! setf setq t unless "
                 "when ",
        .span = {{TO_END(";")}, {DOUBLE_LINES}},
        .also = "-*!?+/<>=",
    },
    {
        .names = " asm assembly nasm x86asm armasm ",
        .span =
            {{TO_END(";")}, {TO_END("#")}, {TO_END("//")}, {DOUBLE}, {SINGLE}},
        .also = ".%",
    },
    {
        .names = " pascal delphi ada vhdl ",
        .words = " and array begin case const do downto else end entity "
                 "exception false for function if implementation in interface "
                 "is loop not of or out package port procedure process program "
                 "record repeat return signal then to true type unit until "
                 "uses use var when while with ",
        .span = {{TO_END("--")},
                 {TO_END("//")},
                 {"{", "}", COMMENT, SPAN_LINES},
                 {"(*", "*)", COMMENT, SPAN_LINES},
                 {"'", "'", STRING, 0},
                 {"\"", "\"", STRING, 0}},
        .any_case = true,
    },
    {
        .names = " fortran f90 f95 ",
        .words = " allocatable allocate call case character contains cycle "
                 "deallocate dimension do double else end enddo endif exit "
                 "false function if implicit in integer intent kind logical "
                 "module none only out parameter pointer precision print "
                 "program real recursive return select subroutine then true "
                 "type use while write ",
        .span = {{TO_END("!")}, {"'", "'", STRING, 0}, {"\"", "\"", STRING, 0}},
        .any_case = true,
    },
    {
        .names = " json json5 jsonc jsonl ",
        .words = " false null true ",
        .span = {{TO_END("//")}, {C_COMMENT}, {DOUBLE}},
    },
    {
        .names = " yaml yml ",
        .words = " false no null true yes ",
        .span = {{HASH}, {DOUBLE}, {"'", "'", STRING, 0}},
        .also = "-./",
        .keys = true,
    },
    {
        .names = " toml ini conf cfg properties systemd desktop ",
        .words = " false no off on true yes ",
        .span = {{HASH},
                 {";", NULL, COMMENT, SPAN_AFTER_BLANK},
                 {THREE_DOUBLE},
                 {THREE_SINGLE},
                 {DOUBLE}},
        .also = "-./",
        .sections = true,
    },
    {
        .names = " html xml svg xhtml rss plist xaml ",
        .span = {{"<!--", "-->", COMMENT, SPAN_LINES},
                 {"\"", "\"", STRING, SPAN_LINES | SPAN_IN_TAG},
                 {"'", "'", STRING, SPAN_LINES | SPAN_IN_TAG}},
        .also = "-:!?",
        .tags = true,
    },
    {
        .names = " css scss less sass ",
        .words = " important ",
        .span = {{C_COMMENT}, {TO_END("//")}, {DOUBLE}, {SINGLE}},
        .also = "-",
        .at_words = true,
    },
    {
        .names = " make makefile cmake ",
        .words = " define else elseif endef endforeach endfunction endif "
                 "export foreach function if ifdef ifeq ifndef ifneq include "
                 "override set ",
        .span = {{HASH}, {DOUBLE}},
        .also = "-$.",
    },
    {
        .names = " dockerfile docker containerfile ",
        .words = " ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK "
                 "LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR ",
        .span = {{HASH}, {DOUBLE}, {"'", "'", STRING, 0}},
        .also = "-./",
    },
    {
        .names = " hcl terraform tf nix ",
        .words = " assert data else false for if in inherit let locals module "
                 "null output provider rec resource terraform then true "
                 "variable with ",
        .span = {{HASH},
                 {TO_END("//")},
                 {C_COMMENT},
                 {DOUBLE},
                 {"''", "''", STRING, SPAN_LINES}},
        .also = "-",
    },
    {
        .names = " latex tex bibtex ",
        .span = {{TO_END("%")}},
        .commands = true,
    },
    {
        .names = " diff patch ",
        .changes = true,
    },
};

const unsigned code_language_count =
    sizeof code_languages / sizeof code_languages[0];
