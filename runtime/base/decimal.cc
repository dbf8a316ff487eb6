/* base/decimal.cc - see decimal.h; C++ for std::to_chars, the shortest form in the library. */
#include "base/decimal.h"

#include <charconv>
#include <cstring>

extern "C" size_t decimal_write(char *out, double value) {
    char *end = std::to_chars(out, out + DECIMAL_SIZE - 2, value).ptr;
    size_t size = static_cast<size_t>(end - out);
    if (memchr(out, '.', size) || memchr(out, 'e', size)) return size;
    end[0] = '.';
    end[1] = '0';
    return size + 2;
}
