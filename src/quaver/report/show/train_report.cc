#include "quaver/report/show/train_report.h"

#include <nlohmann/json.hpp>

#include "quaver/model/memory/memory_network.h"
#include "quaver/report/show/evaluate_report.h"
#include "quaver/report/show/table.h"

namespace quaver {
namespace {

using Json = nlohmann::ordered_json;

template <typename Value>
double mean_of(const std::vector<TrainedMemory>& networks, Value TrainedMemory::*value) {
  double sum = 0;
  for (const TrainedMemory& network : networks) sum += network.*value;
  return sum / static_cast<double>(networks.size());
}

Json json_of(const TrainReport& report, const SequenceTrainReport& of_kind) {
  Json others = Json::object();
  for (const Evaluation::Figure& other : of_kind.test.others) others[other.metric] = other.value;
  return {{"task", report.task},
          {"metric", of_kind.test.chosen.metric},
          {"value", of_kind.test.chosen.value},
          {"n", of_kind.test.n},
          {"validation", of_kind.validation},
          {"epochs", of_kind.epochs},
          {"best_epoch", of_kind.best_epoch},
          {"seconds", report.seconds},
          {"model", report.model},
          {"bytes", of_kind.bytes},
          {"cell", of_kind.cell},
          {"hidden", of_kind.hidden},
          {"seed", report.seed},
          {"curve", of_kind.curve},
          {"others", others}};
}

std::string text_of(const TrainReport& report, const SequenceTrainReport& of_kind) {
  const Evaluation::Figure& test = of_kind.test.chosen;
  Evaluation::Figure validation = test;
  validation.value = of_kind.validation;
  Table table({{"model", Align::kLeft},
               {"task", Align::kLeft},
               {"cell", Align::kLeft},
               {"hidden"},
               {"epochs"},
               {"best"},
               {"seconds"},
               {"validation " + heading(test)},
               {"test " + heading(test)},
               {"bytes"},
               {"learning curve", Align::kLeft}});
  table.add_row({report.model, report.task, of_kind.cell, std::to_string(of_kind.hidden),
                 std::to_string(of_kind.epochs), std::to_string(of_kind.best_epoch), fixed_text(report.seconds, 1),
                 figure_text(validation), figure_text(test), count_text(of_kind.bytes), of_kind.curve});
  return table.text();
}

Json json_of(const TrainReport& report, const MemoryTrainReport& of_kind) {
  Json rows = Json::array();
  std::size_t questions = 0;
  for (const TrainedMemory& network : of_kind.networks) {
    for (const TrainedMemory::Test& test : network.tests) {
      questions += test.questions;
      rows.push_back({{"task", test.task},
                      {"value", test.error},
                      {"n", test.questions},
                      {"loss", test.loss},
                      {"train", network.train},
                      {"validation", network.validation},
                      {"epochs", network.epochs},
                      {"best_epoch", network.best_epoch},
                      {"seconds", network.seconds},
                      {"seed", network.seed},
                      {"small_train", test.small_train},
                      {"model", network.model}});
    }
  }
  return {{"task", report.task},
          {"metric", "error"},
          {"value", mean_of(of_kind.networks, &TrainedMemory::error)},
          {"n", questions},
          {"validation", mean_of(of_kind.networks, &TrainedMemory::validation)},
          {"epochs", of_kind.networks.front().epochs},
          {"seconds", report.seconds},
          {"model", report.model},
          {"cell", kMemoryCell},
          {"scheme", of_kind.scheme},
          {"hops", of_kind.hops},
          {"embedding", of_kind.embedding},
          {"seed", report.seed},
          {"results", rows}};
}

std::string text_of(const TrainReport& report, const MemoryTrainReport& of_kind) {
  Table table({{"task", Align::kLeft},
               {"train %"},
               {"validation %"},
               {"test error %"},
               {"epochs"},
               {"best"},
               {"seconds"},
               {"model", Align::kLeft}});
  for (const TrainedMemory& network : of_kind.networks) {
    table.add_row({network.label, fixed_text(network.train, 2), fixed_text(network.validation, 2),
                   fixed_text(network.error, 2), std::to_string(network.epochs), std::to_string(network.best_epoch),
                   fixed_text(network.seconds, 1), network.model});
    if (network.tests.size() > 1)
      for (const TrainedMemory::Test& test : network.tests)
        table.add_row({test.task, "", "", fixed_text(test.error, 2), "", "", "", ""});
  }
  if (of_kind.networks.size() > 1)
    table.add_row({"mean", "", fixed_text(mean_of(of_kind.networks, &TrainedMemory::validation), 2),
                   fixed_text(mean_of(of_kind.networks, &TrainedMemory::error), 2), "", "",
                   fixed_text(report.seconds, 1), ""});
  return table.text();
}

}  // namespace

Json to_json(const TrainReport& report) {
  return std::visit([&](const auto& of_kind) { return json_of(report, of_kind); }, report.of_kind);
}

std::string to_text(const TrainReport& report) {
  return std::visit([&](const auto& of_kind) { return text_of(report, of_kind); }, report.of_kind);
}

}  // namespace quaver
