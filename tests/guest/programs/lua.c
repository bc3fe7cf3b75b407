/* Lua's interpreter as the crate has no main for it: runs the file of its first argument. */

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int main(int argc, char **argv) {
    lua_State *lua = luaL_newstate();
    if (argc < 2 || !lua)
        return 2;
    luaL_openlibs(lua);
    lua_createtable(lua, argc, 0);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(lua, argv[i]);
        lua_rawseti(lua, -2, i - 1);
    }
    lua_setglobal(lua, "arg");
    int failed = luaL_dofile(lua, argv[1]);
    if (failed)
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    lua_close(lua);
    return failed;
}
