// What 'bench --peers' and a program that times another engine say to each other, with a program that only pretends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "quaver/bench/peers/python_peer.h"
#include "quaver/core/error.h"

namespace quaver {
namespace {

namespace fs = std::filesystem;

const std::string kHello = "echo '{\"peer\": \"fake\", \"version\": \"1.5\"}'\n";
// Answers each line by what stands in it, and keeps the line.
const std::string kLoop = R"(while read -r line; do
  echo "$line" >> "$0.heard"
  case "$line" in
    *prepare*) echo '{"variants": [{"scheme": "int8", "path": "here", "weight_bytes": 12, "codes": true},
 {"scheme": "f32", "path": "there", "weight_bytes": 48}]}' | tr -d '\n'; echo ;;
    *'"variant":1'*) echo '{"seconds": 0.25}' ;;
    *) echo '{"error": "too hot"}' ;;
  esac
done
)";

class PeersTest : public testing::Test {
 protected:
  PeersTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~PeersTest() override { fs::remove_all(folder_); }

  fs::path program(const std::string& text) const {
    std::ofstream(folder_ / "worker.py") << text;
    return folder_ / "worker.py";
  }
  PythonEngine engine(const std::string& text) const {
    return PythonEngine({"/bin/sh", program(text).string(), "fake"});
  }

  fs::path folder_ = fs::temp_directory_path() / ("quaver_peers_" + std::to_string(getpid()));
};

const PeerShape kShape{.cell = "gru", .reset = "before", .input = 3, .hidden = 5, .batch = 2, .steps = 7};

TEST_F(PeersTest, ShapesGoOutAndTimesComeBack) {
  PythonEngine fake = engine(kHello + kLoop);
  EXPECT_EQ(fake.trouble(), "");
  EXPECT_EQ(fake.name(), "fake");
  EXPECT_EQ(fake.version(), "1.5");
  const auto peers = fake.make(kShape);
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0]->scheme(), "int8");
  EXPECT_EQ(peers[0]->path(), "here");
  EXPECT_TRUE(peers[0]->takes_codes());
  EXPECT_EQ(peers[1]->weight_bytes(), 48u);
  EXPECT_FALSE(peers[1]->takes_codes());
  EXPECT_EQ(peers[1]->version(), "1.5");
  EXPECT_DOUBLE_EQ(peers[1]->run(3), 0.25);

  std::ifstream heard(folder_ / "worker.py.heard");
  std::string prepare, run;
  std::getline(heard, prepare);
  std::getline(heard, run);
  for (const char* part : {"\"cell\":\"gru\"", "\"reset\":\"before\"", "\"input\":3", "\"hidden\":5", "\"batch\":2",
                           "\"steps\":7", "\"threads\":1", "\"inputs\":16"})
    EXPECT_NE(prepare.find(part), std::string::npos) << part << " in " << prepare;
  EXPECT_NE(run.find("\"calls\":3"), std::string::npos) << run;
}

TEST_F(PeersTest, AnEngineSaysWhatWasLeftOfTheCpu) {
  EXPECT_EQ(engine(kHello).isa_limit(), "");
  EXPECT_EQ(engine("echo '{\"version\": \"1.5\", \"isa_limit\": null}'\n").isa_limit(), "");
  EXPECT_EQ(engine("echo '{\"version\": \"1.5\", \"isa_limit\": \"avx2\"}'\n").isa_limit(), "avx2");
}

TEST_F(PeersTest, AnErrorEndsTheEngineAndItsTimesAreNoNumbers) {
  PythonEngine fake = engine(kHello + kLoop);
  const auto peers = fake.make(kShape);
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_TRUE(std::isnan(peers[0]->run(1)));
  EXPECT_NE(fake.trouble().find("too hot"), std::string::npos);
  EXPECT_TRUE(std::isnan(peers[1]->run(1)));
  EXPECT_TRUE(fake.make(kShape).empty());
}

TEST_F(PeersTest, WhateverAProgramSaysTheBenchGoesOn) {
  const std::pair<std::string, std::string> cases[] = {
      {"exit 0\n", "without an answer"},
      {"echo '{\"missing\": \"fake\", \"why\": \"no such module\"}'\n", "no such module"},
      {"echo hello\n", "not a JSON object"},
      {"echo '[1]'\n", "not a JSON object"},
      {"echo '{\"version\": 3}'\n", "not installed"},
  };
  for (const auto& [text, word] : cases) {
    PythonEngine fake = engine(text);
    EXPECT_NE(fake.trouble().find(word), std::string::npos) << text << fake.trouble();
    EXPECT_TRUE(fake.make(kShape).empty());
  }
  PythonEngine deaf = engine(kHello + "exit 0\n");
  EXPECT_EQ(deaf.trouble(), "");
  EXPECT_TRUE(deaf.make(kShape).empty());
  EXPECT_NE(deaf.trouble(), "");
  for (const char* answer : {"{}", "{\"variants\": 3}", "{\"variants\": [{\"scheme\": 1}]}"}) {
    PythonEngine odd = engine(kHello + "read -r line; echo '" + answer + "'; read -r line\n");
    EXPECT_TRUE(odd.make(kShape).empty()) << answer;
    EXPECT_NE(odd.trouble(), "") << answer;
  }
}

TEST_F(PeersTest, AProgramThatDoesNotStartIsNamed) {
  PythonEngine none({"/does/not/exist", "worker.py", "fake"});
  EXPECT_NE(none.trouble().find("/does/not/exist"), std::string::npos);
}

TEST_F(PeersTest, WhatIsMissingIsToldOnceWithTheCommandThatHelps) {
  program("echo '{\"missing\": \"litert\", \"why\": \"no module\"}'\n");
  Peers peers({.names = {"litert"}, .python = "/bin/sh", .folder = folder_});
  EXPECT_TRUE(peers.make(kShape).empty());
  const auto news = peers.news();
  ASSERT_EQ(news.size(), 1u);
  for (const char* word : {"litert", "no module", "pip install -r", "requirements.txt", "--peer-python"})
    EXPECT_NE(news[0].find(word), std::string::npos) << word << " in " << news[0];
  EXPECT_TRUE(peers.news().empty());
}

TEST_F(PeersTest, UnknownNamesAreListed) {
  try {
    Peers({.names = {"tensorrt"}, .python = "python3", .folder = folder_});
    FAIL() << "'tensorrt' was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_NE(std::string(error.what()).find("onnxruntime"), std::string::npos);
  }
}

}  // namespace
}  // namespace quaver
