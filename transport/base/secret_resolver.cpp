#include "transport/base/secret_resolver.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transport/base/shell.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// Of what a failed command says.
constexpr std::size_t command_words_bytes_max = 200;

/// `text` without the one line end that editors and commands put behind it.
std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  if (text.ends_with('\r')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string begin(const secret_text& whole, const secret_part& part) {
  return fmt::format("{}: {}", whole.place(), shown_reference(part));
}

/// Takes every occurrence of `value` out of `text`.
std::string without(std::string text, std::string_view value) {
  for (std::size_t at = value.empty() ? std::string::npos : text.find(value); at != std::string::npos;
       at = text.find(value, at + 3)) {
    text.replace(at, value.size(), "***");
  }
  return text;
}

/// `text` without the values of the command's own `name=value` words.
std::string without_arguments(std::string text, std::string_view command) {
  constexpr std::size_t value_bytes_min = 4;
  for (std::size_t at = command.find('='); at != std::string_view::npos; at = command.find('=', at + 1)) {
    const std::string_view value =
        command.substr(at + 1, command.find_first_of(" \t\n;|&\"'", at + 1) - at - 1);
    if (value.size() >= value_bytes_min) {
      text = without(std::move(text), value);
    }
  }
  return text;
}

}  // namespace

result<secret> secret_resolver::resolve(const secret_text& written, const stop_signal& stop) {
  const auto& parts = written.parts();
  if (parts.size() == 1) {
    return look_up(parts.front(), written, stop);
  }
  std::string joined;
  for (const secret_part& part : parts) {
    auto one = look_up(part, written, stop);
    if (!one) {
      return fail(std::move(one).error());
    }
    joined += one->reveal();
  }
  secret out(joined);
  std::fill(joined.begin(), joined.end(), '\0');
  if (around_.found) {
    around_.found(out.reveal());
  }
  return out;
}

result<secret> secret_resolver::look_up(const secret_part& part, const secret_text& whole,
                                        const stop_signal& stop) {
  auto found = [&]() -> result<secret> {
    switch (part.origin) {
      case secret_origin::plain:
        return secret(part.text);
      case secret_origin::env:
        break;
      case secret_origin::file:
        return read_file(part, whole);
      case secret_origin::cmd:
        return run_command(part, whole, stop);
    }
    const auto value = around_.variable ? around_.variable(part.text.c_str()) : std::nullopt;
    if (!value) {
      return fail(error_kind::denied,
                  "{}: the environment variable is not set; set it for this process and run again",
                  begin(whole, part));
    }
    return secret(*value);
  }();
  if (found && around_.found) {
    around_.found(found->reveal());
  }
  return found;
}

result<secret> secret_resolver::read_file(const secret_part& part, const secret_text& whole) {
  const bool relative = !part.text.starts_with('/') && !whole.folder().empty();
  const std::string path = relative ? whole.folder() + "/" + part.text : part.text;
  const auto refuse = [&](std::string_view why) {
    return fail(error_kind::denied, "{}: the file {} {}", begin(whole, part), in_quotes(path), why);
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno == ENOENT ? refuse("is not there; make it, or correct the path")
                           : refuse(fmt::format("cannot be read ({}); give this process the right",
                                                std::strerror(errno)));
  }
  struct stat status {};
  ::fstat(fd, &status);
  std::string text(secret_bytes_max + 1, '\0');
  std::size_t size = 0;
  ssize_t n = 0;
  while (size < text.size() && (n = ::read(fd, text.data() + size, text.size() - size)) != 0) {
    if (n < 0 && errno != EINTR) {
      break;
    }
    size += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  const int problem = n < 0 ? errno : 0;
  ::close(fd);
  if (problem != 0) {
    return refuse(fmt::format("cannot be read ({})", std::strerror(problem)));
  }
  if (size > secret_bytes_max) {
    return refuse(fmt::format("is larger than {}; name a file that holds the secret alone",
                              bytes_text(secret_bytes_max)));
  }
  secret out(without_line_end(std::string_view(text).substr(0, size)));
  std::fill(text.begin(), text.end(), '\0');
  const std::lock_guard lock(mutex_);
  if (around_.warn && S_ISREG(status.st_mode) && (status.st_mode & 0077) != 0 &&
      warned_.insert(path).second) {
    around_.warn(fmt::format("{}: the file {} may be read or written by others (mode {:03o}); chmod 600 it",
                             begin(whole, part), in_quotes(path), status.st_mode & 0777));
  }
  return out;
}

result<secret> secret_resolver::run_command(const secret_part& part, const secret_text& whole,
                                            const stop_signal& stop) {
  auto ran = run_shell(part.text, around_.command_timeout, secret_bytes_max, stop);
  if (!ran) {
    return fail(ran.error().kind, "{}: the command could not be run: {}", begin(whole, part),
                ran.error().message);
  }
  secret out(without_line_end(ran->out));
  std::fill(ran->out.begin(), ran->out.end(), '\0');
  if (!out.empty() && around_.found) {
    around_.found(out.reveal());
  }
  const auto refuse = [&](const std::string& why) {
    // It may have said the secret itself, or part of what it was called with.
    std::string words = without_arguments(without(ran->err, out.reveal()), part.text);
    words = around_.mask ? around_.mask(std::move(words)) : words;
    words = escaped(without_line_end(words), command_words_bytes_max);
    return fail(error_kind::not_connected, "{}: the command {}{}", begin(whole, part), why,
                words.empty() ? "; it said nothing on its standard error" : "; it said: " + words);
  };
  if (ran->timed_out) {
    return refuse(fmt::format("did not end within {} and was ended",
                              duration_text(std::chrono::duration<double>(around_.command_timeout).count())));
  }
  if (ran->too_long) {
    return refuse(fmt::format("printed more than {}", bytes_text(secret_bytes_max)));
  }
  if (ran->status != 0) {
    return refuse("ended with " + ended_text(ran->status));
  }
  if (out.empty()) {
    return refuse("printed nothing");
  }
  return out;
}

}  // namespace sluice
