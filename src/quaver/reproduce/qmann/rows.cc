#include "quaver/reproduce/qmann/rows.h"

#include <string_view>
#include <utility>

#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"

namespace quaver {
namespace {

QmannRow qmann_row(const std::string& key, const std::string& title, MemoryScheme scheme,
                   std::optional<PublishedErrors> published, bool ablation = false) {
  QmannRow row{.key = key, .title = title, .ablation = ablation, .published = std::move(published)};
  row.options = qmann_recipe(scheme);
  row.options.keep = KeptWeights::kEarlyStopped;
  row.options.train_on = true;
  return row;
}

QmannRow memn2n_row(const std::string& key, const std::string& title, const std::string& set,
                    std::optional<PublishedErrors> published) {
  QmannRow row{.key = key, .title = title, .set = set, .seeds = 10, .published = std::move(published)};
  row.options = memn2n_recipe(false);
  return row;
}

// The float network of MemN2N's recipe and, from it, a scaled scheme: calibrated, or trained on.
// Of a scheme, whose name is its key.
QmannRow beyond_row(std::string_view scheme, const std::string& what, bool trained_on) {
  QmannRow row{.key = std::string(scheme), .title = concat("`", scheme, "`: ", what)};
  row.options = memn2n_recipe(false);
  if (trained_on)
    row.fine_tuned = fine_tune_recipe(memory_scheme_from_name(scheme), false);
  else
    row.calibrated = memory_scheme_from_name(scheme);
  return row;
}

}  // namespace

const MemoryScheme& QmannRow::scheme() const {
  if (calibrated) return *calibrated;
  return fine_tuned ? fine_tuned->scheme : options.scheme;
}

std::vector<QmannRow> qmann_rows() {
  // Measured with the authors' program on the same data; by task: its final weights, tasks 1, 2, 4 .. 20.
  const auto program = [](double final, double early, int seeds, std::vector<double> by_task = {}) {
    PublishedErrors errors{final, early, concat("the authors' program, ", seeds, seeds == 1 ? " seed" : " seeds"), {}};
    for (std::size_t i = 0; i < by_task.size(); ++i) errors.final_by_task[i < 2 ? i + 1 : i + 2] = by_task[i];
    return errors;
  };
  const auto fixed = [](int integer_bits, bool hop_formats) {
    MemoryScheme scheme = memory_scheme_from_name(kFixedScheme);
    scheme.integer_bits = integer_bits;
    scheme.hop_formats = hop_formats;
    return scheme;
  };
  const auto hamming = [](int integer_bits) {
    MemoryScheme scheme = memory_scheme_from_name(kQmannScheme);
    scheme.integer_bits = integer_bits;
    return scheme;
  };
  constexpr bool kAblation = true;
  return {
      qmann_row(
          std::string(kFloatScheme), "float", {},
          program(18.2, 17.9, 2,
                  {0, 33.3, 31.4, 15.2, 4.5, 11.1, 2.3, 4.5, 7.5, 7, 0, 1.2, 2.8, 13.5, 55.8, 46.1, 45, 63.8, 0})),
      qmann_row("fixed8-mq", "conventional 8 bits as shipped (IWL 5, MQ)", fixed(5, true),
                program(55.0, 46.9, 2,
                        {64.4, 83.3, 31.9, 77, 49.2, 53.2, 74.8, 46.4, 59.4, 27.4, 42.4, 42.9, 75, 57.8, 60.6, 48.9,
                         59.6, 91.9, 0})),
      qmann_row("fixed8", "conventional 8 bits, IWL 5", fixed(5, false), program(49.5, 39.0, 2)),
      qmann_row("fixed8-iwl4", "conventional 8 bits, IWL 4 (its best)", fixed(4, false),
                program(40.8, 29.7, 2,
                        {0, 80.5, 31.5, 68, 31.5, 53.2, 79.6, 34.5, 21.3, 65.6, 0, 29.7, 15.4, 34.4, 53.6, 49.1, 46.7,
                         81, 0})),
      qmann_row("qmann8", "Q-MANN 8 bits, IWL 2, MQ", hamming(2),
                program(29.1, 30.1, 3,
                        {1, 69.1, 32.6, 14.7, 32.2, 21.7, 11.9, 35.6, 48.9, 10, 0.4, 5.6, 14.9, 21.9, 52.4, 44.8, 43.9,
                         90.6, 0})),
      qmann_row("fixed-binary", "conventional binary, IWL 5", memory_scheme_from_name(kFixedBinaryScheme),
                program(41.7, 32.0, 1)),
      qmann_row("qmann-binary", "Q-MANN binary, IWL 2", memory_scheme_from_name(kQmannBinaryScheme),
                program(34.9, 36.7, 1)),
      qmann_row("hamming8-iwl5", "Hamming, IWL 5, MQ", hamming(5), std::nullopt, kAblation),
      qmann_row("fixed8-iwl4-mq", "conventional 8 bits, IWL 4, MQ", fixed(4, true), std::nullopt, kAblation),
      qmann_row("hamming8-iwl4", "Hamming, IWL 4, MQ", hamming(4), std::nullopt, kAblation),
      beyond_row(kDefaultScheme, "8 bits, scales", false),
      beyond_row(kFixedCalibratedScheme, "8 bits, points", false),
      beyond_row(kBinaryCalibratedScheme, "1 bit from hop to hop", true),
      memn2n_row("memn2n", "en-10k", "en-10k",
                 PublishedErrors{6.5, std::nullopt, "the paper's table 3, best of 10", {}}),
      memn2n_row("memn2n-1k", "en (1,000 questions)", "en",
                 PublishedErrors{13.9, std::nullopt, "the paper's table 1, best of 10", {}}),
  };
}

}  // namespace quaver
