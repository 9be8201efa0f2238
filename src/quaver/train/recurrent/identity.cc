#include "quaver/train/recurrent/identity.h"

#include "quaver/core/text.h"

namespace quaver {
namespace {

std::string text_of(const std::string& value) { return value.empty() ? "default" : value; }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::size_t value) { return number_text(value); }
std::string text_of(double value) { return number_text(value); }
std::string text_of(Nonlinearity value) { return std::string(name_of(value)); }
std::string text_of(Direction value) { return std::string(name_of(value)); }
std::string text_of(const std::optional<Pooling>& value) { return value ? std::string(name_of(*value)) : "default"; }

void add_options(const TrainOptions& options, std::map<std::string, std::string>& identity) {
  fields(options, [&](const OptionField& field, const auto& value) { identity[field.name] = text_of(value); });
}

}  // namespace

std::map<std::string, std::string> training_identity(std::uint64_t train_data, std::uint64_t validation_data,
                                                     const TrainOptions& options) {
  std::map<std::string, std::string> identity{{"train_data", hex64(train_data)},
                                              {"validation_data", hex64(validation_data)}};
  add_options(options, identity);
  return identity;
}

std::map<std::string, std::string> default_identity() {
  std::map<std::string, std::string> identity;
  add_options({}, identity);
  return identity;
}

}  // namespace quaver
