# Every target calls a script in scripts/.
.PHONY: run test

run:     ## install what is missing, build, run the sample campaign on the simulated carrier, show the results
	@scripts/run.sh

test:    ## the same machine, every check and every test
	@scripts/test.sh
