#include "quaver/report/cost/operations/row.h"

namespace quaver {

void count_argmax(const CostSite& site, Counter& counter) { counter.compare(site.inputs); }

}  // namespace quaver
