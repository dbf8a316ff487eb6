/* main.c - chooses the command; what each does is in bind/. */
#include "bind/cli.h"
#include "bind/serve.h"
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: blip COMMAND [ARGUMENTS]\n"
    "\n"
    "  serve [FLAGS]                 the server; 'blip serve --help' lists its flags\n"
    "  scan FILE                     finds the anomalies of a CSV or NDJSON file\n"
    "  run SCRIPT --source FILE      runs a detector script over a file\n"
    "  check SCRIPT...               says what is wrong with detector scripts\n"
    "  user add|remove|list|hash     keeps the file of users; 'blip user --help' tells more\n"
    "  test [BUSTED ARGUMENTS]       runs specs inside this program\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 it worked, 1 it did not, 2 the command line is wrong\n";

static int run_lua_command(int count, char **args) {
    return cli_run(args[0], count - 1, args + 1);
}

static int run_tests(int count, char **args) { return cli_test(count - 1, args + 1); }

static int run_server(int count, char **args) { return serve_run(count - 1, args + 1); }

static int print_usage(int count, char **args) {
    (void)count, (void)args;
    fputs(usage, stdout);
    return 0;
}

static int print_version(int count, char **args) {
    (void)count, (void)args;
    puts("blip " BLIP_VERSION);
    return 0;
}

// A command gets its own name as the first argument.
static const struct {
    const char *name;
    int (*run)(int count, char **args);
} commands[] = {
    {"serve", run_server},      {"scan", run_lua_command},    {"run", run_lua_command},
    {"check", run_lua_command}, {"user", run_lua_command},    {"test", run_tests},
    {"--help", print_usage},    {"--version", print_version},
};

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(name, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    if (*name)
        fprintf(stderr, "blip: unknown command '%s', see blip --help\n", name);
    else
        fprintf(stderr, "blip: a command is missing, see blip --help\n");
    return 2;
}
