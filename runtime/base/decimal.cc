/* base/decimal.cc - see decimal.h; C++ for std::to_chars, the shortest form in the library. */
#include "base/decimal.h"

#include <charconv>
#include <cmath>
#include <cstring>

extern "C" size_t decimal_write(char *out, double value) {
    char *end = std::to_chars(out, out + DECIMAL_SIZE - 2, value).ptr;
    size_t size = static_cast<size_t>(end - out);
    if (memchr(out, '.', size) || memchr(out, 'e', size)) return size;
    end[0] = '.';
    end[1] = '0';
    return size + 2;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

extern "C" bool decimal_read(const char *text, size_t size, double *value) {
    const char *end = text + size;
    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    if (end - text > 1 && *text == '+' && text[1] != '-') text++;
    auto read = std::from_chars(text, end, *value);
    return read.ec == std::errc() && read.ptr == end && std::isfinite(*value);
}
