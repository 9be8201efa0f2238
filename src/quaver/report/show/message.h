// message.h - what is said to people while the work goes on.
#pragma once

#include <cstdio>
#include <string_view>

namespace quaver {

// As well as it can be: a full disk, a closed stream or a reader that is gone loses the text and changes nothing else.
// One call is one write, so that threads do not tear each other's lines.
void write_message(std::string_view text, std::FILE* out = stderr) noexcept;

}  // namespace quaver
