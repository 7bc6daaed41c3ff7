#include "transport/base/process.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "transport/base/text.h"

namespace sluice {
namespace {

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) {
    return "unknown";
  }
  return name;
}

/// Empty where there is no such process.
std::string start_of(std::int64_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) {
    return {};
  }
  // The command in field 2 may hold spaces and parentheses: fields are counted behind its last one.
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) {
    return {};
  }
  std::istringstream fields(line.substr(end + 1));
  std::string field;
  std::string state;
  for (int i = 3; i <= 22 && fields >> field; ++i) {
    if (i == 3) {
      state = field;
    }
  }
  if (state == "Z" || state == "X") {
    return {};  // dead, only not yet waited for
  }
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  std::getline(boot, boot_id);
  return boot_id + "/" + field;
}

}  // namespace

std::string looked_in(const std::string& path) {
  if (path.starts_with('/')) {
    return {};
  }
  std::error_code failed;
  const std::string folder = std::filesystem::current_path(failed).string();
  return failed ? std::string() : " in " + in_quotes(folder);
}

process_identity this_process() {
  return {host_name(), ::getpid(), start_of(::getpid())};
}

process_state look_up(const process_identity& who) {
  if (who.host != host_name()) {
    return process_state::elsewhere;
  }
  return start_of(who.pid) == who.start ? process_state::alive : process_state::dead;
}

}  // namespace sluice
