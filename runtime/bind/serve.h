/* bind/serve.h - blip serve. */
#ifndef BLIP_BIND_SERVE_H
#define BLIP_BIND_SERVE_H

/* Runs the server until SIGTERM or SIGINT; SIGHUP reloads configuration and scripts.
 *   args   [count], what followed `serve`
 * Returns the exit code: 0 stopped in order, 1 could not start or run, 2 the flags or the
 * configuration are wrong. */
int serve_run(int count, char **args);

#endif
