// babi.cc - stories with questions: the row that says who reads them.
#include "quaver/core/text.h"
#include "quaver/data/own/kind_row.h"

namespace quaver {
namespace {

OpenedData open_babi(const DataSpec& spec, const OwnDataOptions&, const Pipeline*) {
  throw_bad_input(
      concat(data_spec_text(spec), ": stories with questions are answered by memory networks; they are no sequences"));
}

}  // namespace

KindRow babi_row() {
  return {.kind = {.name = "babi", .holds = "folder of stories: qaN_NAME_train.txt and qaN_NAME_test.txt"},
          .open = open_babi};
}

}  // namespace quaver
