// quaver.h - the runtime in one include: load a model, run it, keep its state.
#pragma once

#include "quaver/core/error.h"
#include "quaver/engine/memory/memory_session.h"
#include "quaver/engine/sequence/session.h"
#include "quaver/engine/sequence/state.h"
#include "quaver/engine/sequence/step_result.h"
#include "quaver/io/model_file/artifact_file.h"
#include "quaver/io/model_file/memory_file.h"
#include "quaver/io/model_file/model_file.h"
#include "quaver/model/memory/memory_network.h"
#include "quaver/model/model.h"
