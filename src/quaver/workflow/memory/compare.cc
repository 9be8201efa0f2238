#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/memory/story_input.h"

namespace quaver {

CompareReport compare(const MemoryNetwork& reference, const MemoryNetwork& quantized, const CompareRequest& request,
                      Listener& listener) {
  require_comparable(reference, quantized);
  const EnergyTable table = load_energy_table(request.energy_table);
  const AskedStories asked = read_asked_stories(request.input, quantized, request.data, request.limit, listener);
  listener.begin("comparing", "questions", asked.questions.size());
  const MemoryComparison comparison =
      compare(reference, quantized, asked.questions,
              {.energy_table = table, .progress = [&](std::size_t done, std::size_t) { listener.advance(done); }});
  return {.of_kind = MemoryCompareReport{comparison,
                                         {memory_scheme_text(reference.scheme), memory_scheme_text(quantized.scheme)}},
          .input = asked.source,
          .models = {request.reference.string(), request.quantized.string()}};
}

}  // namespace quaver
