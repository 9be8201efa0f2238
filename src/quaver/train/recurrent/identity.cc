#include "quaver/train/recurrent/identity.h"

#include "quaver/core/text.h"

namespace quaver {

std::map<std::string, std::string> training_identity(const Dataset& train_data, const Dataset& validation_data,
                                                     const TrainOptions& options) {
  const auto yes_no = [](bool value) { return std::string(value ? "true" : "false"); };
  return {
      {"cell", options.cell},
      {"hidden", number_text(options.hidden)},
      {"layers", number_text(options.layers)},
      {"projection", number_text(options.projection)},
      {"cifg", yes_no(options.cifg)},
      {"peephole", yes_no(options.peephole)},
      {"layer_norm", yes_no(options.layer_norm)},
      {"clip", number_text(options.clip)},
      {"projection_clip", number_text(options.projection_clip)},
      {"linear_before_reset", yes_no(options.linear_before_reset)},
      {"nonlinearity", std::string(nonlinearity_name(options.nonlinearity))},
      {"direction", std::string(direction_name(options.direction))},
      {"pooling", options.pooling ? std::string(pooling_name(*options.pooling)) : "default"},
      {"embedding", number_text(options.embedding)},
      {"epochs", number_text(options.epochs)},
      {"batch", number_text(options.batch)},
      {"learning_rate", number_text(options.learning_rate)},
      {"weight_decay", number_text(options.weight_decay)},
      {"gradient_clip", number_text(options.gradient_clip)},
      {"average", number_text(options.average)},
      {"label_smoothing", number_text(options.label_smoothing)},
      {"patience", number_text(options.patience)},
      {"dropout", number_text(options.dropout)},
      {"input_noise", number_text(options.input_noise)},
      {"level_shift", number_text(options.level_shift)},
      {"time_stretch", number_text(options.time_stretch)},
      {"time_mask", number_text(options.time_mask)},
      {"feature_mask", number_text(options.feature_mask)},
      {"seed", number_text(options.seed)},
      {"train_data", hex64(train_data.content_hash())},
      {"validation_data", hex64(validation_data.content_hash())},
  };
}

}  // namespace quaver
