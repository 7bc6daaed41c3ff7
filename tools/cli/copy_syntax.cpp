#include "tools/cli/run_flags.h"

namespace sluice {
namespace {

class copy_flags final : public command_syntax {
 public:
  void describe(CLI::App& app) override {
    app.add_option("SRC", from_,
                   "What is read: a file, sqlite:FILE:TABLE, or a data source's table NAME:TABLE");
    app.add_option("DST", to_, "Where it goes, likewise; a table or file that is missing is made");
    app.add_option("--where", where_, "Condition on the source's rows")->type_name("CONDITION");
    heading_.describe(app);
    app.add_option("--error-limit", error_limit_,
                   "Bear so many dirty records; one more fails the run. Default: 0")
        ->type_name("N");
    app.add_option("--save", save_, "Write the job to this file, too; one that is there is not overwritten")
        ->type_name("FILE");
    app.add_flag("--append", append_, "Add to the records that are there");
    app.add_flag("--replace", replace_, "Put the records in the place of those that are there");
    run_.describe(app);
    app.footer("A destination that holds records is refused without --append or --replace.");
  }
  [[nodiscard]] result<command> given() const override {
    copy_arguments copy;
    if (from_.empty() || to_.empty()) {
      return usage("two ends are needed: sluice copy SRC DST, such as sluice copy orders.csv shop.db:orders");
    }
    if (append_ && replace_) {
      return usage("--append and --replace exclude each other; give one");
    }
    copy.from = from_;
    copy.to = to_;
    copy.where = given_text(where_);
    copy.save = given_text(save_);
    copy.mode = append_ ? sketch_mode::append : replace_ ? sketch_mode::replace : sketch_mode::refuse;
    SLUICE_TRY(copy.heading, heading_.given());
    SLUICE_TRY(copy.error_limit, limit_of("--error-limit", error_limit_));
    SLUICE_CHECK(run_.put_into(copy.run));
    if (copy.run.running == if_running::wait) {
      return usage(
          "--if-running wait is not for copies: the one that ends has left its records, and a second one "
          "would "
          "add them again");
    }
    return copy;
  }

 private:
  std::string from_, to_, where_, save_, error_limit_ = "0";
  heading_flags heading_;
  bool append_ = false, replace_ = false;
  run_flags run_;
};

}  // namespace

std::unique_ptr<command_syntax> copy_syntax() {
  return std::make_unique<copy_flags>();
}

}  // namespace sluice
