# Every target calls a script in scripts/.
.PHONY: run test screens

run:     ## install what is missing, build, run the sample campaign on the simulated carrier, show the results
	@scripts/run.sh

test:    ## the same machine, every check and every test
	@scripts/test.sh

screens: ## every screen of the console compared with its picture; UPDATE=1 keeps new ones, UPDATE=record new answers too
	@scripts/screens.sh $(patsubst 1,update,$(UPDATE))
