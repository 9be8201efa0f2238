#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/report/cost/inspect.h"
#include "quaver/workflow/fields.h"
#include "quaver/workflow/sequence/calls.h"
#include "quaver/workflow/sequence/input.h"

namespace quaver {

CompareReport compare(const Model& reference, const Model& quantized, const CompareRequest& request,
                      Listener& listener) {
  refuse({{"--tasks", request.data.tasks.has_value()},
          {"--set", request.data.set.has_value()},
          {"--questions", request.data.questions.has_value()}},
         "memory networks", "here are models of sequences");
  // What is lost is counted from the first: exchanged, every figure would be of the float model.
  if (!is_float_scheme(reference.scheme) && is_float_scheme(quantized.scheme))
    throw_bad_input(concat(request.reference.string(), " is quantized and ", request.quantized.string(),
                           " is a float model; expected the float one first"));
  const Sequences sequences =
      read_sequences(request.input, "test", reference, request.reference, request.data, request.limit, listener);
  listener.begin("comparing", "sequences", sequences.views.size());
  CompareOptions options;
  options.progress = [&](std::size_t done, std::size_t) { listener.advance(done); };
  const Comparison comparison = compare(reference, quantized, sequences.views, options);
  const EnergyTable table = load_energy_table(request.energy_table);
  const Inspection first = inspect(reference, 0, table), second = inspect(quantized, 0, table);
  return {.of_kind = SequenceCompareReport{.comparison = comparison,
                                           .path = std::string(isa_name(options.isa)),
                                           .energy_pj = second.energy_pj,
                                           .reference_energy_pj = first.energy_pj,
                                           .energy_gain_vs_f32 = second.energy_gain_vs_f32,
                                           .energy_source = table.source},
          .input = sequences.source,
          .models = {request.reference.string(), request.quantized.string()}};
}

}  // namespace quaver
