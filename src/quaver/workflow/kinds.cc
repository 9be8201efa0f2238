#include "quaver/workflow/kinds.h"

#include <array>
#include <utility>
#include <variant>

#include "quaver/workflow/memory/calls.h"
#include "quaver/workflow/sequence/calls.h"

namespace quaver {
namespace {

// The calls for a kind are overloads for its network.
template <typename Network>
constexpr KindRow row(std::string_view name, std::string_view run_with_a_file) {
  return {.name = name,
          .run_with_a_file = run_with_a_file,
          .inspect = [](Artifact artifact, const InspectRequest& request,
                        Listener& listener) { return inspect(std::get<Network>(artifact), request, listener); },
          .compare =
              [](Artifact reference, Artifact quantized, const CompareRequest& request, Listener& listener) {
                return compare(std::get<Network>(reference), std::get<Network>(quantized), request, listener);
              },
          .run = [](Artifact artifact, const RunRequest& request,
                    Listener& listener) { return run(std::get<Network>(std::move(artifact)), request, listener); },
          .quantize =
              [](Artifact artifact, const QuantizeRequest& request, Listener& listener) {
                return quantize(std::get<Network>(std::move(artifact)), request, listener);
              },
          .evaluate = [](Artifact artifact, const EvaluateRequest& request,
                         Listener& listener) { return evaluate(std::get<Network>(artifact), request, listener); }};
}

// In the order of Artifact's alternatives.
constexpr std::array<KindRow, std::variant_size_v<Artifact>> kKinds{
    row<Model>("a model of sequences", "gives the outputs of data of your own"),
    row<MemoryNetwork>("a memory network", "judges the answers to a file of stories")};

}  // namespace

const KindRow& kind_of(const Artifact& artifact) { return kKinds[artifact.index()]; }

}  // namespace quaver
