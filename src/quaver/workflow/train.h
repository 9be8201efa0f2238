// train.h - a network from a task's data, or from data of one's own: trained, judged on what it has not seen, written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "quaver/model/formats/scheme.h"
#include "quaver/report/show/train_report.h"
#include "quaver/train/options/options.h"
#include "quaver/workflow/data_source.h"
#include "quaver/workflow/listener.h"
#include "quaver/workflow/quantize.h"

namespace quaver {

struct TrainRequest {
  std::string task{};                // a task, or KIND:PATH
  std::filesystem::path out{};       // .safetensors; of a list of tasks NAME stands for NAME.qaN
  std::string scheme{kFloatScheme};  // of memory networks any; recurrent ones become integers by quantize()
  DataSource data{};
  std::size_t limit = 0;  // sequences, or questions, of each split at most; 0: all
  // What is to differ from the defaults that suit the data: options by name as text, {"hidden", "64"}; those of
  // train/options/options.h, or of train/memory/train.h.
  std::map<std::string, std::string> options{};
  std::filesystem::path checkpoint{};   // empty: OUT.checkpoint, removed at the end
  bool resume = false;                  // else a checkpoint that lies there is an Error
  std::size_t threads = 0;              // 0: as many as the machine has; the result does not depend on it
  std::string command{};                // for the provenance of what is written
  std::function<bool()> should_stop{};  // asked before every batch; then Error says how to go on

  // Of recurrent networks: gives who trains, or an Error that says why nobody does.
  std::function<const RecurrentTrainer&()> trainer{};

  // Of memory networks.
  std::string recipe{};                  // "memn2n", "qmann" or "fine-tune"; empty: the one that suits the scheme
  std::vector<SchemeSwitch> switches{};  // of the scheme
  std::filesystem::path warm_start{};    // float network to start from, of a list of tasks named as `out`
};

// Error (usage) for options that do not suit the network, its data or each other, and files that would be overwritten;
// (bad input) for data that cannot be read or learned from, or a checkpoint that does not fit; (failed) when training
// diverges or is interrupted.
TrainReport train(const TrainRequest& request, Listener& listener);

// Error (usage) where a file lies at the place of a training's checkpoint: hours of another training, or what is none.
void require_no_checkpoint(const std::filesystem::path& path);

// The flag of an option, for messages: "--gradient-clip".
std::string flag_of_option(std::string_view name);

}  // namespace quaver
