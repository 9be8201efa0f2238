// verbs.h - the verbs of the command line, one file each: text becomes an options struct and one public call.
//
// Each function adds its verb to the program. A verb runs when its command line has been read; it throws quaver::Error,
// whose kind is the exit code.
#pragma once

namespace CLI {
class App;
}

namespace quaver {

void add_train(CLI::App& program);
void add_quantize(CLI::App& program);
void add_eval(CLI::App& program);
void add_run(CLI::App& program);
void add_compare(CLI::App& program);
void add_inspect(CLI::App& program);
void add_convert(CLI::App& program);
void add_bench(CLI::App& program);
void add_reproduce(CLI::App& program);
void add_demo(CLI::App& program);

}  // namespace quaver
