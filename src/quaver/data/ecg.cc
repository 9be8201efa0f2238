// ecg.cc - heart beats: which kind the beat is that an annotation marks, from both leads around it.
//
// Records 100, 101 and 203 of the MIT-BIH Arrhythmia Database (Moody and Mark): half an hour of two leads at 360 Hz
// each, and the sample of every beat. Classes follow ANSI/AAMI EC57, as is usual for this database:
//   N  normal, bundle branch block, atrial or nodal escape     codes N L R e j
//   S  supraventricular ectopic                                codes A a J S
//   V  ventricular ectopic, and its fusion with a normal beat  codes V E, F
// Fusions are a class F of their own there; the only one of these records is counted as V, as those do who report three
// classes (Llamedo and Martinez 2011). Q (paced or unclassifiable, 6 beats here) names what no one could tell, and is
// left out, as are marks that are no beats. What judges is the mean of the F1 of the classes: nine of ten beats are N.
//
// The split is in time within each record: its first 60 % are train, then 10 % validation, the rest test. That is
// AAMI's question for a device that was fitted to its patient, not the harder one between patients (de Chazal et al.
// 2004): of three records one alone has more than one V, and nothing could be learned of V without it. Figures of ours
// do not compare with those of their 22 test records.
//
// A sequence is 0.83 s before the beat and 0.5 s behind it: at the rates of these records the beat before is in it, so
// that an early beat can be told by its interval, as well as by its form. 120 steps at 90 Hz, each the mean of six
// samples: a zero of that filter is at the 60 Hz of the mains, which would fold to 30 Hz. Millivolts less the mean of
// the sequence, which takes the wander of the electrodes out. The first lead is MLII in all three records, the second
// V5 or V1. A beat whose sequence crosses the border of two parts, or an end of its record, is in no part.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "quaver/core/error.h"
#include "quaver/core/text.h"
#include "quaver/data/archive.h"
#include "quaver/data/task_row.h"

namespace quaver {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 24;  // bytes; half an hour of two leads has 2 MB
constexpr std::size_t kLeads = 2, kSteps = 120;
constexpr int kHertz = 360;
constexpr std::size_t kSamplesAStep = 4, kMeanOf = 6;
constexpr std::size_t kReach = (kSteps - 1) * kSamplesAStep + kMeanOf;  // samples that a sequence is made of
constexpr std::size_t kBefore = 301;                                    // of them before the beat
constexpr std::array<std::size_t, 4> kBounds{0, 60, 70, 100};           // of the parts, percent of a record

const DataFile& data_file() {
  static const DataFile file{
      .task = "ecg",
      .file = "ecg/mitdb_100_101_203.tar.xz",
      .set = "MIT-BIH Arrhythmia Database (Moody and Mark 2001, physionet.org; in github.com/MasonYyp/wfdb_ecg)",
      .contents = "the .hea, .dat and .atr of its records"};
  return file;
}

struct Beat {
  std::size_t sample = 0;
  std::int32_t label = 0;  // N, S, V
};

struct Record {
  std::size_t samples = 0;
  std::array<std::vector<float>, kLeads> leads{};  // millivolts
  std::vector<Beat> beats{};
};

// The files of a record, by their extension.
using RecordFiles = std::map<std::string, std::string>;

// Of an annotation's code; nothing where it is no beat, or none that could be told.
std::optional<std::int32_t> label_of_code(unsigned code) {
  switch (code) {
    case 1:
    case 2:
    case 3:
    case 11:
    case 34: return 0;  // N L R j e
    case 4:
    case 7:
    case 8:
    case 9: return 1;  // a J A S
    case 5:
    case 6:
    case 10: return 2;  // V F E
    default: return std::nullopt;
  }
}

struct LeadHeader {
  double gain = 0;   // units a millivolt
  int zero = 0;      // units
  int first = 0;     // value, in units
  int checksum = 0;  // sum of all values in 16 bits
};

struct Header {
  std::size_t samples = 0;
  std::array<LeadHeader, kLeads> leads{};
};

class RecordReader {
 public:
  RecordReader(std::string where, const RecordFiles& files) : where_(std::move(where)), files_(files) {}

  Record read() {
    read_header();
    read_signal();
    read_annotations();
    return std::move(record_);
  }

 private:
  [[noreturn]] void refuse(const std::string& extension, const std::string& what) const {
    throw_bad_input(concat(where_, extension, ": ", what));
  }

  const std::string& file(const std::string& extension) const {
    const auto found = files_.find(extension);
    if (found == files_.end())
      refuse(extension, "the archive has no such file, expected a .hea, .dat and .atr a record");
    return found->second;
  }

  // RECORD LEADS HERTZ SAMPLES, then a line a lead: FILE FORMAT GAIN BITS ZERO FIRST CHECKSUM BLOCK NAME.
  void read_header() {
    std::istringstream lines(file(".hea"));
    std::string name, data;
    std::size_t leads = 0;
    int hertz = 0, format = 0, bits = 0;
    if (!(lines >> name >> leads >> hertz >> header_.samples) || leads != kLeads || hertz != kHertz)
      refuse(".hea", concat("its first line is not that of a record of ", kLeads, " leads at ", kHertz, " Hz"));
    for (LeadHeader& lead : header_.leads) {
      std::string rest;
      std::getline(lines, rest);
      if (!(lines >> data >> format >> lead.gain >> bits >> lead.zero >> lead.first >> lead.checksum) ||
          format != 212 || !(lead.gain > 0))
        refuse(".hea", "the line of a lead is not 'FILE 212 GAIN BITS ZERO FIRST CHECKSUM ...'");
    }
    record_.samples = header_.samples;
  }

  // Format 212: two values of 12 bits in three bytes.
  void read_signal() {
    const std::string& bytes = file(".dat");
    if (bytes.size() % 3 != 0 || bytes.size() / 3 != header_.samples)
      refuse(".dat", concat(bytes.size(), " bytes, expected 3 for each of ", header_.samples, " samples"));
    const auto byte = [&](std::size_t place) { return int{static_cast<unsigned char>(bytes[place])}; };
    const auto value = [](int low, int high) { return (high & 8) != 0 ? (low | high << 8) - 4096 : low | high << 8; };
    for (std::size_t lead = 0; lead < kLeads; ++lead) {
      const LeadHeader& header = header_.leads[lead];
      std::vector<float>& signal = record_.leads[lead];
      std::uint16_t sum = 0;
      for (std::size_t place = 0; place < bytes.size(); place += 3) {
        const int packed = byte(place + 1);
        const int units = lead == 0 ? value(byte(place), packed & 15) : value(byte(place + 2), packed >> 4);
        if (place == 0 && units != header.first)
          refuse(".dat", concat("lead ", lead + 1, " begins with ", units, ", its header says ", header.first));
        sum = static_cast<std::uint16_t>(sum + units);
        signal.push_back(static_cast<float>((units - header.zero) / header.gain));
      }
      if (sum != static_cast<std::uint16_t>(header.checksum))
        refuse(".dat", concat("lead ", lead + 1, " has the checksum ", static_cast<std::int16_t>(sum),
                              ", its header says ", header.checksum, "; the file is damaged"));
    }
  }

  // Words of 16 bits: a code in the upper 6, samples since the mark before in the lower 10. Code 59: the samples are in
  // the two words behind, the upper first; 60 to 62: settings; 63: that many bytes of text behind; 0 ends.
  void read_annotations() {
    const std::string& bytes = file(".atr");
    const auto word = [&](std::size_t place) {
      if (place + 2 > bytes.size()) refuse(".atr", "the annotations end before their end mark; the file is cut off");
      return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[place]) |
                                        static_cast<unsigned char>(bytes[place + 1]) << 8);
    };
    std::int64_t sample = 0;
    for (std::size_t place = 0;;) {
      const std::uint32_t code = word(place) >> 10, low = word(place) & 1023;
      place += 2;
      if (code == 0 && low == 0) return;
      if (code == 59) {
        sample += static_cast<std::int32_t>(word(place) << 16 | word(place + 2));
        place += 4;
      } else if (code == 63) {
        place += low + low % 2;
      } else if (code < 60) {
        sample += low;
        if (sample < 0 || sample >= static_cast<std::int64_t>(header_.samples))
          refuse(".atr", concat("a mark at sample ", sample, ", expected 0 to ", header_.samples, " - 1"));
        if (const std::optional<std::int32_t> label = label_of_code(code))
          record_.beats.push_back({.sample = static_cast<std::size_t>(sample), .label = *label});
      }
    }
  }

  std::string where_;  // of the record's files, without their extensions
  const RecordFiles& files_;
  Header header_;
  Record record_;
};

// first: sample of the record that the sequence begins at.
Sequence sequence_at(const Record& record, std::size_t first) {
  Sequence sequence{.steps = kSteps, .features = kLeads, .values = std::vector<float>(kSteps * kLeads)};
  for (std::size_t lead = 0; lead < kLeads; ++lead) {
    std::array<double, kSteps> steps{};
    double mean = 0;
    for (std::size_t step = 0; step < kSteps; ++step) {
      for (std::size_t i = 0; i < kMeanOf; ++i)
        steps[step] += double{record.leads[lead][first + step * kSamplesAStep + i]} / kMeanOf;
      mean += steps[step] / kSteps;
    }
    for (std::size_t step = 0; step < kSteps; ++step)
      sequence.values[step * kLeads + lead] = static_cast<float>(steps[step] - mean);
  }
  return sequence;
}

std::vector<Example> load_ecg(Split split, const TaskOptions& options) {
  const std::filesystem::path path = find_data_file(data_file(), options);
  std::map<std::string, RecordFiles> files;  // by record
  const auto extension_of = [](const std::string& name) { return std::filesystem::path(name).extension().string(); };
  read_archive(path, {.largest_file = kLargestFile,
                      .max_memory = options.max_memory,
                      .wants =
                          [&](const std::string& name) {
                            const std::string extension = extension_of(name);
                            return extension == ".hea" || extension == ".dat" || extension == ".atr";
                          },
                      .take =
                          [&](const std::string& name, std::string contents) {
                            files[std::filesystem::path(name).replace_extension().string()][extension_of(name)] =
                                std::move(contents);
                          }});
  std::vector<Example> examples;
  for (const auto& [name, contents] : files) {
    const Record record = RecordReader(concat(path.string(), ": ", name), contents).read();
    const std::size_t begin = record.samples * kBounds[static_cast<std::size_t>(split)] / 100;
    const std::size_t end = record.samples * kBounds[static_cast<std::size_t>(split) + 1] / 100;
    for (const auto& [sample, label] : record.beats) {
      if (sample < begin + kBefore || sample + (kReach - kBefore) > end) continue;
      examples.push_back(
          {.name = concat("record ", std::filesystem::path(name).filename().string(), " sample ", sample),
           .input = sequence_at(record, sample - kBefore),
           .labels = {label}});
    }
  }
  return spread_over(std::move(examples), options.limit);
}

}  // namespace

TaskRow ecg_row() {
  return {.info = {.name = "ecg",
                   .summary = "heart beats of three people: normal, supraventricular or ventricular, from two leads",
                   .target = Target::kClass,
                   .features = kLeads,
                   .classes = {"N", "S", "V"},
                   .needs = data_file().file,
                   .step_seconds = static_cast<double>(kSamplesAStep) / kHertz,
                   .metric = "macro_f1"},
          .load = load_ecg};
}

}  // namespace quaver
