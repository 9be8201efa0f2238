#include "quaver/model/operations/pool.h"

#include "quaver/model/operations/row.h"

namespace quaver {
namespace {

class PoolRow final : public OperationRowOf<PoolAttributes> {
 public:
  std::optional<Pooling> pooling(const Operation& operation) const override {
    return std::get<PoolAttributes>(operation).pooling;
  }
  std::string variant(const Operation& operation) const override {
    return std::string(pooling_name(std::get<PoolAttributes>(operation).pooling));
  }

  void check_formats(const Site& site) const override {
    expect_kind(site.read_name(), site.read_format(), {NumberType::kI8, NumberType::kI16});
    expect_format(site.output_name(), site.node.outputs[0].format, site.read_format());
  }

 protected:
  void check(const Site& site, const PoolAttributes& pool) const override {
    if (!site.input().has_time)
      refuse(described(site.node), " pools over time, but its ", site.input_name(), " has no time");
    if (pool.pooling != Pooling::kFinal) return;
    const Node* before = site.inputs[0].maker;
    const std::optional<Direction> direction =
        before == nullptr ? std::nullopt : row_of(before->operation).direction(before->operation);
    if (!direction || *direction == Direction::kForward ||
        row_of(before->operation).runs_inside_frames(before->operation))
      refuse(described(site.node), " takes the final state of each direction, but its ", site.input_name(),
             " is no reverse or bidirectional layer; expected pooling 'last'");
  }

  std::vector<Value> outputs(const PoolAttributes&, std::span<const Value* const> inputs) const override {
    return {{.shape = inputs[0]->shape, .has_time = false}};
  }

  std::string text(const PoolAttributes& pool) const override { return concat("pool ", pooling_name(pool.pooling)); }
};

}  // namespace

const OperationRow& PoolAttributes::row() {
  static const PoolRow kRow;
  return kRow;
}

}  // namespace quaver
