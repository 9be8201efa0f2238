// torch_roles.h - what the names that people give their modules say of a matrix. Not a public header.
//
// A name is its path of modules; a module's words are what '_', digits and capitals part: "decoder.fcOut1" has the
// words fc, out. The last module with a word of more than a letter decides (so that "head.3" and "output.w" are heads);
// a word that speaks of another kind of layer (attention, norm, gate, position, ...) anywhere in the path overrules it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quaver {

enum class NameSays {
  kEmbedding,  // a table of ids: embedding, embed_tokens, wte, lookup
  kEncoder,    // "encoder" alone: a table of ids where the shape leaves nothing else
  kHead,       // behind the recurrent layers: head, output, classifier, decoder, logits, tag
  kLinear,     // a Linear, somewhere: fc, linear, dense, proj
  kNothing,    // no word that is known, words of several kinds, or of a layer that is none of these
};

NameSays name_says(std::string_view path);
std::vector<std::string> words_of_name(std::string_view module);  // lower case

}  // namespace quaver
