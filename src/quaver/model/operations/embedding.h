// embedding.h - A row of a table for each id.
//
//   W [vocabulary, features]     in integers the codes of the output, packed where the scheme's weights are
#pragma once

#include <cstdint>
#include <string_view>

namespace quaver {

class OperationRow;

struct EmbeddingAttributes {
  std::int64_t vocabulary = 0;
  std::int64_t features = 0;
  bool operator==(const EmbeddingAttributes&) const = default;

  static const OperationRow& row();
  static constexpr std::string_view kName = "embedding";
  static void fields(auto& self, auto&& visit) {
    visit("vocabulary", self.vocabulary);
    visit("features", self.features);
  }
};

}  // namespace quaver
