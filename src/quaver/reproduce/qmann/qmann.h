// qmann.h - reproduce() of the paper 'qmann'. Internal.
#pragma once

#include "quaver/reproduce/reproduce.h"

namespace quaver {

QmannReport reproduce_qmann(const ReproduceRequest& request, Listener& listener);

}  // namespace quaver
