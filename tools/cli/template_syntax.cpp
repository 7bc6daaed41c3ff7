#include "tools/cli/command_syntax.h"
#include "tools/cli/job_flags.h"

namespace sluice {
namespace {

class template_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option(
        "READER", from_,
        "What is read: a file, sqlite:FILE:TABLE, a data source's table NAME:TABLE, or a plugin's name");
    app.add_option("WRITER", to_, "What is written, likewise");
    app.add_option("--dialect", dialect_, "di (script mode 2.0) or datax; default: di")->type_name("DIALECT");
    heading_.describe(app);
    datasources_.describe(app);
    app.footer("The job is printed. Real ends are looked at, and nothing is changed.");
  }
  [[nodiscard]] result<command> given() const override {
    template_arguments made;
    if (from_.empty() || to_.empty()) {
      return usage("two ends are needed: sluice template READER WRITER, such as sluice template text sqlite");
    }
    made.from = from_;
    made.to = to_;
    SLUICE_TRY(made.form, dialect_of("--dialect", dialect_));
    SLUICE_TRY(made.heading, heading_.given());
    SLUICE_TRY(made.datasources, datasources_.given());
    return made;
  }

 private:
  std::string from_, to_, dialect_ = "di";
  heading_flags heading_;
  registry_flags datasources_;
};

}  // namespace

std::unique_ptr<command_syntax> template_syntax() {
  return std::make_unique<template_flags>();
}

}  // namespace sluice
