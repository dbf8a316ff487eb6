/* bind/cli.h - the commands that are Lua programs: blip scan, run, check, and blip test. */
#ifndef BLIP_BIND_CLI_H
#define BLIP_BIND_CLI_H

/* Runs require("blip.cli.NAME").main(args) in a state of its own, with a store in memory.
 *   name   "scan", "run", "check"
 *   args   [count], what followed the command's name
 * Returns the exit code: main's own (0 when it returns none), 1 with a line on standard error
 * when it raised. */
int cli_run(const char *name, int count, char **args);

/* Runs busted, the Lua test runner, inside this program: blip.*, runtime.* and the tests'
 * support.* can be required. Returns busted's exit code. */
int cli_test(int count, char **args);

#endif
