#include "transport/base/guard_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "transport/base/packed_texts.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(packed_texts, are_read_back_as_they_were) {
  const std::string zero("a\0b", 3);
  const std::string packed = packed_texts({"", zero, std::string(70'000, 'x')});
  const auto texts = unpacked_texts(packed, 3);
  ASSERT_TRUE(texts);
  EXPECT_THAT(*texts, ElementsAre("", zero, std::string(70'000, 'x')));
  EXPECT_FALSE(unpacked_texts(packed, 2));
  EXPECT_FALSE(unpacked_texts(packed, 4));
  EXPECT_THAT(*unpacked_texts("", 0), IsEmpty());
}

TEST(packed_texts, that_are_cut_anywhere_are_none) {
  const std::string packed = packed_texts({"one", "two"});
  for (std::size_t n = 0; n < packed.size(); ++n) {
    EXPECT_FALSE(unpacked_texts(std::string_view(packed).substr(0, n), 2)) << n;
  }
}

/// A process with a guard whose duty is to write down what is left; it is killed when the test says so.
class guarded_process : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/sluice-guard-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    ASSERT_EQ(::pipe2(told_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    ::close(told_[0]);
    ::close(told_[1]);
  }

  [[nodiscard]] guard_process::duty writes(const std::string& owner) const {
    return [folder = folder_, owner](std::string_view place, const std::vector<std::string>& things) {
      std::string text;
      for (const std::string& thing : things) {
        text += thing + ' ';
      }
      const std::string path = folder + "/" + owner + "." + std::string(place);
      std::ofstream(path + ".part") << text;
      ::rename((path + ".part").c_str(), path.c_str());
    };
  }

  /// Runs `body` in a process of its own, which then waits to be killed. Its guard's id is `guard_`.
  void begin(const std::function<void(guard_process&)>& body) {
    process_ = ::fork();
    if (process_ == 0) {
      ::setpgid(0, 0);
      auto guard = guard_process::begin({{"a", writes("a")}, {"b", writes("b")}});
      body(**guard);
      const pid_t pid = (*guard)->pid();
      [[maybe_unused]] const auto n = ::write(told_[1], &pid, sizeof pid);
      for (;;) {
        ::pause();
      }
    }
    ASSERT_EQ(::read(told_[0], &guard_, sizeof guard_), static_cast<ssize_t>(sizeof guard_));
    // It has its name when it has left everything else behind; the last test may have ended it already.
    std::string name;
    for (int tries = 0; tries < 1000 && name != "job-guard"; ++tries, ::usleep(1000)) {
      std::ifstream file("/proc/" + std::to_string(guard_) + "/comm");
      if (!std::getline(file, name)) {
        break;
      }
    }
  }
  void kill(bool group = false) {
    if (process_ > 0) {
      ::kill(group ? -process_ : process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
      process_ = -1;
    }
  }
  /// What a duty has written; it is waited for.
  [[nodiscard]] std::string written(const std::string& name) const {
    for (int tries = 0; tries < 1000; ++tries, ::usleep(10'000)) {
      if (std::ifstream file(folder_ + "/" + name); file) {
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
      }
    }
    return "nothing";
  }
  [[nodiscard]] bool guard_ends() const {
    for (int tries = 0; tries < 1000; ++tries, ::usleep(10'000)) {
      std::ifstream stat("/proc/" + std::to_string(guard_) + "/stat");
      std::string pid;
      std::string name;
      std::string state;
      if (!(stat >> pid >> name >> state) || state == "Z") {
        return true;
      }
    }
    return false;
  }

  std::string folder_;
  int told_[2] = {-1, -1};
  pid_t process_ = -1;
  pid_t guard_ = -1;
};

TEST_F(guarded_process, that_is_killed_has_what_it_left_ended_place_by_place) {
  begin([](guard_process& g) {
    g.leave("a", "here", "one");
    const auto two = g.leave("a", "here", "two");
    g.leave("a", "here", "three");
    g.leave("b", "there", "four");
    g.take_back(g.leave("b", "nowhere", "five"));
    g.take_back(two);
    g.take_back(0);
    g.leave("nobody", "here", "six");
  });
  kill();
  EXPECT_EQ(written("a.here"), "one three ");
  EXPECT_EQ(written("b.there"), "four ");
  EXPECT_TRUE(guard_ends());
  EXPECT_NE(::access((folder_ + "/b.nowhere").c_str(), F_OK), 0);
}

TEST_F(guarded_process, that_is_killed_with_its_group_has_it_ended_too) {
  begin([](guard_process& g) { g.leave("a", "here", "one"); });
  ::kill(guard_, SIGTERM);
  ::kill(guard_, SIGINT);
  ::kill(guard_, SIGHUP);
  kill(true);
  EXPECT_EQ(written("a.here"), "one ");
}

TEST_F(guarded_process, that_is_stopped_is_not_gone) {
  begin([](guard_process& g) { g.leave("a", "here", "one"); });
  ::kill(process_, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(process_, &status, WUNTRACED), process_);
  ::usleep(50'000);
  EXPECT_NE(::access((folder_ + "/a.here").c_str(), F_OK), 0);
  EXPECT_EQ(::kill(guard_, 0), 0);
  kill();
  EXPECT_EQ(written("a.here"), "one ");
}

TEST_F(guarded_process, leaves_nothing_open_with_its_guard) {
  int out[2];
  ASSERT_EQ(::pipe(out), 0);
  const int locked = ::open((folder_ + "/lock").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::flock(locked, LOCK_EX), 0);
  begin([](guard_process& g) { g.leave("a", "here", "one"); });
  ::close(out[1]);
  ::close(locked);
  ::kill(guard_, SIGSTOP);
  kill();
  pollfd reader = {out[0], POLLIN, 0};
  EXPECT_EQ(::poll(&reader, 1, 1000), 1);
  EXPECT_EQ(reader.revents, POLLHUP);
  const int again = ::open((folder_ + "/lock").c_str(), O_RDWR);
  EXPECT_EQ(::flock(again, LOCK_EX | LOCK_NB), 0);
  ::close(again);
  ::close(out[0]);
  ::kill(guard_, SIGCONT);
  EXPECT_EQ(written("a.here"), "one ");
}

TEST_F(guarded_process, does_not_wait_for_a_guard_that_does_not_listen) {
  begin([this](guard_process& g) {
    ::kill(g.pid(), SIGSTOP);
    std::uint64_t last = 1;
    int taken = 0;
    for (; last != 0 && taken < 100'000; ++taken) {
      last = g.leave("a", "here", std::string(1000, 'x'));
    }
    std::ofstream(folder_ + "/taken") << (taken > 50 && taken < 10'000 ? "some" : "wrong");
    ::kill(g.pid(), SIGKILL);
    ::waitpid(g.pid(), nullptr, 0);
    std::ofstream(folder_ + "/gone") << g.leave("a", "here", "x");
  });
  EXPECT_EQ(written("taken"), "some");
  EXPECT_EQ(written("gone"), "0");
}

TEST(guard_process, ends_with_its_owner_where_nothing_is_left_and_takes_no_message_that_is_too_large) {
  auto guard = guard_process::begin({});
  ASSERT_TRUE(guard);
  const pid_t pid = (*guard)->pid();
  const std::string large(guard_message_bytes_max, 'x');
  EXPECT_EQ((*guard)->leave("a", large, ""), 0U);
  (*guard)->take_back((*guard)->leave("a", "here", "x"));
  EXPECT_EQ(::kill(pid, 0), 0);
  guard->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(guard_process, has_a_name_of_its_own) {
  auto guard = guard_process::begin({});
  ASSERT_TRUE(guard);
  const std::string path = "/proc/" + std::to_string((*guard)->pid()) + "/cmdline";
  const std::string name = "job-guard " + std::to_string(::getpid());
  std::string shown;
  for (int tries = 0; tries < 1000 && !shown.starts_with("job-guard"); ++tries, ::usleep(10'000)) {
    std::ifstream file(path);
    std::getline(file, shown, '\0');
  }
  EXPECT_EQ(shown, name.substr(0, shown.size()));
}

}  // namespace
}  // namespace sluice
