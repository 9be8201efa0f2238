#include "quaver/bench/bench.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <variant>

#include "quaver/bench/calls.h"
#include "quaver/bench/peers/peer.h"
#include "quaver/bench/plot.h"
#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/files/atomic_file.h"
#include "quaver/files/command_files.h"
#include "quaver/kernels/dispatch/dispatch.h"
#include "quaver/model/formats/scheme.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/model/operations/operation.h"
#include "quaver/report/machine/timing.h"
#include "quaver/report/show/json_text.h"
#include "quaver/workflow/fields.h"

namespace quaver {
namespace {

// What was left open has its default.
BenchRequest with_defaults(BenchRequest request) {
  const bool of_memory = request.of_memory();
  const auto list = []<typename T>(std::vector<T>& values, std::vector<T> otherwise) {
    if (values.empty()) values = std::move(otherwise);
  };
  const auto size = [](std::optional<std::size_t>& value, std::size_t otherwise) {
    if (!value) value = otherwise;
  };
  const std::string kInt8(kDefaultScheme);
  list(request.cells, {"lstm", "gru"});
  list(request.schemes,
       of_memory ? std::vector{kInt8, std::string(kQmannScheme), std::string(kFloatScheme)} : std::vector{kInt8});
  list(request.batch, {1});
  if (request.peer_python.empty()) request.peer_python = "python3";
  list(request.resets, {"after"});
  list(request.hidden, {128});
  size(request.input, 40);
  list(request.steps, {1});
  list(request.streams, {1});
  list(request.frames,
       request.with_peers() ? std::vector<std::string>{"real", "codes"} : std::vector<std::string>{"real"});
  size(request.threads, 1);
  list(request.facts, {10, 1000, 100000});
  size(request.embedding, 60);
  size(request.hops, 3);
  size(request.words, 6);
  size(request.vocabulary, 180);
  return request;
}

// Refuses what was set and nothing here would read. full: with defaults.
void require_useful(const BenchRequest& request, const BenchRequest& full) {
  const Field cell{"--cell", !request.cells.empty()}, preset{"--preset", !request.presets.empty()},
      reset{"--reset", !request.resets.empty()}, hidden{"--hidden", !request.hidden.empty()},
      input{"--input-size", request.input.has_value()}, scheme{"--scheme", !request.schemes.empty()},
      steps{"--steps", !request.steps.empty()}, batch{"--batch", !request.batch.empty()},
      streams{"--streams", !request.streams.empty()}, frames{"--frames", !request.frames.empty()},
      threads{"--threads", request.threads.has_value()}, plot{"--plot", !request.plot.empty()},
      projection{"--projection", request.projection.has_value()}, cifg{"--cifg", request.cifg},
      peephole{"--peephole", request.peephole}, layer_norm{"--layer-norm", request.layer_norm},
      facts{"--facts", !request.facts.empty()}, embedding{"--embedding", request.embedding.has_value()},
      hops{"--hops", request.hops.has_value()}, words{"--words", request.words.has_value()},
      vocabulary{"--vocabulary", request.vocabulary.has_value()}, all_peers{"--peers", request.all_peers},
      peers{"--peer", !request.peers.empty()}, peer_python{"--peer-python", !request.peer_python.empty()};

  if (request.cells.size() > 1 && std::ranges::count(request.cells, kMemoryCell) > 0)
    throw_usage("--cell memn2n stands alone: its rows are facts and questions, not steps");
  if (!request.model.empty())
    refuse({cell, preset, reset, hidden, input, scheme, projection, cifg, peephole, facts, embedding, hops, words,
            vocabulary, layer_norm, all_peers, peers, peer_python},
           "cells with random weights", "here a model file is timed");
  if (request.of_memory())
    refuse({reset, hidden, input, steps, streams, projection, cifg, peephole, layer_norm, plot, threads, frames},
           concat("the cells ", join(recurrent_names(), ", ")), "here the cell is memn2n");
  else
    refuse({facts, embedding, hops, words, vocabulary}, "--cell memn2n", "here other cells are timed");
  if (!request.presets.empty())
    refuse({cell, reset, hidden, input, steps, batch, streams}, "shapes without a name", "here --preset says them");
  if (request.model.empty() && !request.of_memory()) {
    for (const std::string& name : full.cells) require_known("cell", name, recurrent_names());
    std::vector<std::string> cells;
    for (const BenchShape& shape : shapes_of(full)) cells.push_back(shape.cell);
    std::ranges::sort(cells);
    cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
    const std::string here = concat("here the cells are ", join(cells, ", "));
    refuse_attribute(projection, "projection_size", cells, here);
    refuse_attribute(cifg, "input_forget", cells, here);
    refuse_attribute(peephole, "peephole", cells, here);
    refuse_attribute(layer_norm, "layer_norm", cells, here);
    refuse_attribute(reset, "linear_before_reset", cells, here);
  }
  if (!request.with_peers()) refuse({peer_python}, "--peers and --peer", "here no other engine is asked for");
  if (!request.plain_cells())
    refuse({all_peers, peers}, "plain cells", "here flags change the lstm, as no other engine runs it");
  if (*full.threads > 1) refuse({{"--pin", request.pin}}, "one thread", "here --threads asks for more");
}

void check_files(const BenchRequest& request) {
  CommandFiles files;
  files.reads("MODEL", request.model);
  files.writes("--save", request.save, {".json", ".md"});
  files.writes("--plot", request.plot);
  files.check();
}

}  // namespace

bool BenchRequest::of_memory() const {
  return model.empty() && presets.empty() && cells == std::vector<std::string>{kMemoryCell};
}

bool BenchRequest::plain_cells() const { return !cifg && !peephole && !layer_norm && projection.value_or(0) == 0; }

std::vector<Isa> raced_paths(const BenchRequest& request) {
  if (!request.all_paths) return {chosen_isa()};
  std::vector<Isa> isas;
  for (const Isa isa : all_isas())
    if (isa_supported(isa)) isas.push_back(isa);
  return isas;
}

BenchReport bench(const BenchRequest& given, Listener& listener) {
  const BenchRequest request = with_defaults(given);
  require_useful(given, request);
  for (const std::string& peer : request.peers) require_known("peer", peer, peer_names());
  const bool of_memory = request.of_memory();
  if (of_memory)
    check_memory(request);
  else
    check_sequences(request);
  check_files(request);
  if (request.pin && !pin_to_current_cpu())
    listener.warn("the system does not let this program bind itself to one CPU");

  BenchReport report = of_memory ? bench_memory(request, listener) : bench_sequences(request, listener);
  report.cpu = cpu_name();
  report.command = request.command;
  report.repetitions = request.repetitions;
  if (!request.save.empty()) {
    write_file_atomically(request.save.string() + ".json", json_text(to_json(report), 1) + "\n");
    write_file_atomically(request.save.string() + ".md", to_markdown(report));
  }
  if (!request.plot.empty()) draw(report, std::get<SequenceBenchReport>(report.of_kind), request.plot);
  return report;
}

}  // namespace quaver
