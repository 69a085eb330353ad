"""The reports of a run: certificate, JUnit, Allure, site, terminal summary, matrix, comparison."""
