# Straight after a clone, on a bare Debian 12: everything missing is installed first.
# The work is in tools/ (python -m tools …); this file only names it.

.DEFAULT_GOAL := help
.PHONY: help demo test test-pure simulate mutants lint bench words tidy clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\): ## /  make \1	/p' $(MAKEFILE_LIST)

demo: ## a furnished shop with simulated terminals, after a sale by card and one by code; ONCE=1 ends there
	@ONCE="$(ONCE)" tools/bootstrap.sh demo

test: ## every test; the last line counts them
	@tools/bootstrap.sh test

test-pure: ## the tests that need no Odoo, in seconds, and whether they reach every line
	@tools/bootstrap.sh test-pure

simulate: ## the rules about money on a million bad days; SEED= N= SECONDS=, or BUG= a planted one, BUGS=1 each
	@tools/bootstrap.sh simulate $(if $(SEED),--seed $(SEED)) $(if $(N),--number $(N)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(BUG),--bug $(BUG)) \
		$(if $(BUGS),--bugs) $(if $(filter note,$(BUGS)),--note)

mutants: ## small wrong changes in the rules about money: the tests must find 95 of 100, and the rest be explained
	@tools/bootstrap.sh mutants $(ONLY)

lint: ## style, types, imports, Odoo's conventions, complete translations
	@tools/bootstrap.sh lint

bench: ## measure beside Odoo's own pos_qfpay; writes bench/results.json
	@tools/bootstrap.sh bench

words: ## bring i18n/ up to date with the sources
	@tools/bootstrap.sh words

tidy: ## let the formatters write
	@tools/bootstrap.sh tidy

clean: ## throw away this checkout's databases, logs and pictures
	@tools/bootstrap.sh clean
