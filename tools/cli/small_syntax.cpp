#include "tools/cli/command_syntax.h"

namespace sluice {
namespace {

class plugins_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("NAME", plugin_, "Name of a plugin, or a stepType or DataX name it goes by");
    app.add_flag("--json", json_, "Print JSON");
  }
  [[nodiscard]] result<command> given() const override {
    return plugins_arguments{given_text(plugin_), json_};
  }

 private:
  std::string plugin_;
  bool json_ = false;
};

class version_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override { app.add_flag("--json", json_, "Print JSON"); }
  [[nodiscard]] result<command> given() const override { return version_arguments{json_}; }

 private:
  bool json_ = false;
};

}  // namespace

std::unique_ptr<command_syntax> plugins_syntax() {
  return std::make_unique<plugins_flags>();
}

std::unique_ptr<command_syntax> version_syntax() {
  return std::make_unique<version_flags>();
}

}  // namespace sluice
