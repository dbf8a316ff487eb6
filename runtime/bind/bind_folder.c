/* bind/bind_folder.c - require "runtime.folder": what is in a folder, and when it changes.
 *
 *     folder.list(path[, ending])        names of its files that end so, sorted
 *                                        -> names | nil, err
 *     folder.watch(path, module, func)   runs require(module)[func]("") as a background job now
 *                                        and whenever something in it has changed
 *                                        -> true | nil, err
 *
 * A server watches one folder, from its start to its end: watching the same one again does
 * nothing, another one is a conflict. */
#include "base/log.h"
#include "bind/bind.h"
#include "bind/box.h"
#include "bind/state.h"
#include "bind/work.h"
#include "work/watch.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "runtime.folder"

// --- listing -------------------------------------------------------------------------------

static int release_folder(lua_State *L) {
    DIR **box = luaL_checkudata(L, 1, FOLDER);
    if (*box) closedir(*box);
    *box = NULL;
    return 0;
}

static bool ends_with(const char *name, const char *ending) {
    size_t size = strlen(name), ending_size = strlen(ending);
    return size > ending_size && strcmp(name + size - ending_size, ending) == 0;
}

/* Appends the names to the table on the top. Hidden files are none. */
static void add_names(lua_State *L, DIR *folder, const char *ending) {
    lua_Integer count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, ending)) continue;
        if (entry->d_type == DT_DIR) continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++count);
    }
}

static void sort_names(lua_State *L) {
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

static int bind_folder_list(lua_State *L) {
    const char *path = luaL_checkstring(L, 1), *ending = luaL_optstring(L, 2, "");
    DIR **box = (DIR **)box_new(L, FOLDER);
    *box = opendir(path);
    if (!*box) {
        struct error err;
        enum status status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_DENIED;
        fail(&err, status, "cannot read the folder %s: %s", path, strerror(errno));
        return bind_fail(L, &err);
    }
    lua_newtable(L);
    add_names(L, *box, ending);
    sort_names(L);
    return 1;
}

// --- watching ------------------------------------------------------------------------------

/* What a change calls. Its texts stand behind it in one block. */
struct folder_watch {
    struct host *host;
    struct watch *watch;
    const char *path, *module, *func;
    char texts[];
};

static bool on_change(void *context) {
    const struct folder_watch *w = context;
    struct error err;
    if (work_submit(w->host, w->module, w->func, "", &err) == STATUS_OK) return true;
    log_event(LOG_LEVEL_WARN, "watch_delayed", log_text("folder", w->path),
              log_text("reason", err.reason));
    return false;
}

static const char *copy_text(char **at, const char *text) {
    const char *copy = *at;
    *at = stpcpy(*at, text) + 1;
    return copy;
}

static enum status folder_watch_new(struct host *host, const char *path, const char *module,
                                    const char *func, struct error *err) {
    size_t size = strlen(path) + strlen(module) + strlen(func) + 3;
    struct folder_watch *w = calloc(1, sizeof *w + size);
    if (!w) return fail(err, STATUS_NO_MEMORY, "no memory to watch %s", path);
    char *at = w->texts;
    w->host = host;
    w->path = copy_text(&at, path);
    w->module = copy_text(&at, module);
    w->func = copy_text(&at, func);
    enum status status = watch_new(host->loop, path, on_change, w, &w->watch, err);
    if (status == STATUS_OK)
        host->folder = w;
    else
        free(w);
    return status;
}

void folder_watch_free(struct host *host) {
    if (!host->folder) return;
    watch_free(host->folder->watch);
    free(host->folder);
    host->folder = NULL;
}

/* Watches, under the host's lock, what nobody watches yet. */
static enum status watch_once(struct host *host, const char *path, const char *module,
                              const char *func, struct error *err) {
    pthread_mutex_lock(&host->lock);
    enum status status = STATUS_OK;
    if (!host->folder)
        status = folder_watch_new(host, path, module, func, err);
    else if (strcmp(host->folder->path, path) != 0)
        status = fail(err, STATUS_CONFLICT, "%s is watched until the server stops, not %s",
                      host->folder->path, path);
    pthread_mutex_unlock(&host->lock);
    return status;
}

static int bind_folder_watch(lua_State *L) {
    struct host *host = state_host(L);
    const char *path = luaL_checkstring(L, 1), *module = luaL_checkstring(L, 2);
    const char *func = luaL_checkstring(L, 3);
    struct error err;
    enum status status =
        host->loop ? watch_once(host, path, module, func, &err)
                   : fail(&err, STATUS_FAILED, "this process has no loop: it is not a server");
    if (status != STATUS_OK) return bind_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

int luaopen_runtime_folder(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"list", bind_folder_list}, {"watch", bind_folder_watch}, {NULL, NULL}};
    box_class(L, FOLDER, NULL, release_folder);
    luaL_newlib(L, functions);
    return 1;
}
