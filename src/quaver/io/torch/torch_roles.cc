#include "quaver/io/torch/torch_roles.h"

#include <algorithm>
#include <array>
#include <utility>

namespace quaver {
namespace {

constexpr std::array<std::string_view, 4> kEmbedding{"wte", "lookup", "glove", "emb"};  // "emb": as a beginning
constexpr std::array<std::string_view, 2> kEncoder{"encoder", "enc"};
constexpr std::array<std::string_view, 32> kHead{
    "head",  "out",     "output",    "outputs",    "classifier", "classify", "classification", "cls",
    "clf",   "decoder", "dec",       "logit",      "logits",     "score",    "scores",         "scorer",
    "pred",  "predict", "predictor", "prediction", "readout",    "tag",      "tags",           "tagger",
    "label", "labels",  "final",     "last",       "top",        "class",    "classes",        "mask"};
constexpr std::array<std::string_view, 9> kLinear{"fc",         "linear", "lin",   "dense", "proj",
                                                  "projection", "affine", "layer", "layers"};
// Before the recurrent layers, where no Linear is supported.
constexpr std::array<std::string_view, 9> kBefore{"in",   "input", "inputs", "pre",     "prenet",
                                                  "stem", "front", "first",  "frontend"};
constexpr std::array<std::string_view, 35> kForeign{
    "attn",      "attention", "query", "key",     "value",   "gate", "gates",         "gating",    "norm",
    "layernorm", "batchnorm", "ln",    "bn",      "conv",    "cnn",  "aux",           "auxiliary", "criterion",
    "loss",      "teacher",   "ema",   "student", "critic",  "pos",  "position",      "positions", "positional",
    "wpe",       "segment",   "type",  "speaker", "adapter", "lora", "discriminator", "dropout"};

template <typename Words>
bool has(const Words& known, const std::string& word) {
  return std::ranges::find(known, word) != known.end();
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

// What one module's words say, together.
struct Said {
  bool embedding = false, encoder = false, head = false, linear = false, before = false;
};

Said said_by(const std::vector<std::string>& words) {
  Said said;
  for (const std::string& word : words) {
    if (has(kEmbedding, word) || word.starts_with(kEmbedding.back())) said.embedding = true;
    if (has(kEncoder, word)) said.encoder = true;
    if (has(kHead, word)) said.head = true;
    if (has(kLinear, word)) said.linear = true;
    if (has(kBefore, word)) said.before = true;
  }
  return said;
}

}  // namespace

std::vector<std::string> words_of_name(std::string_view module) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i <= module.size(); ++i) {
    const char c = i < module.size() ? module[i] : '_';
    const bool starts = is_upper(c) && i > 0 && is_lower(module[i - 1]);
    if ((starts || (!is_upper(c) && !is_lower(c))) && !word.empty()) words.push_back(std::exchange(word, ""));
    if (is_upper(c) || is_lower(c)) word += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return words;
}

NameSays name_says(std::string_view path) {
  std::vector<std::vector<std::string>> modules;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    modules.push_back(words_of_name(path.substr(begin, dot - begin)));
    begin = dot + 1;
  }
  for (const std::vector<std::string>& words : modules) {
    if (std::ranges::any_of(words, [](const std::string& word) { return has(kForeign, word); }))
      return NameSays::kNothing;
  }
  for (auto words = modules.rbegin(); words != modules.rend(); ++words) {
    // "0", "w": a place in a Sequential, a wrapper's parameter.
    if (std::ranges::all_of(*words, [](const std::string& word) { return word.size() == 1; })) continue;
    const Said said = said_by(*words);
    if (said.before || said.embedding + said.encoder + (said.head || said.linear) > 1) return NameSays::kNothing;
    if (said.embedding) return NameSays::kEmbedding;
    if (said.encoder) return words->size() == 1 ? NameSays::kEncoder : NameSays::kNothing;
    if (said.head) return NameSays::kHead;
    return said.linear ? NameSays::kLinear : NameSays::kNothing;
  }
  return NameSays::kNothing;
}

}  // namespace quaver
